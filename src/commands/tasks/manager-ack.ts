/** `manager-ack`: the manager's acknowledgement of a task. */
import { ackVerb } from "../../flow/tasks/ack.ts";

export default ackVerb("manager");
