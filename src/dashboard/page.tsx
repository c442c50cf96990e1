/** The page's entry script. */
import "./page.css";
import { render } from "preact";
render(<p>soon</p>, document.getElementById("app")!);
