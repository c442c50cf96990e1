/** `manager-ack`: the manager's acknowledgement of a task. */
import { ackVerb } from "../flow/ack.ts";

export default ackVerb("manager");
