/** A component whose code is fetched when it is first shown. */
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";

/** @param room holds the place meanwhile, so that nothing jumps */
export function lazy<P extends object>(load: () => Promise<ComponentType<P>>, room: ComponentType<P>): ComponentType<P> {
  let loaded: ComponentType<P> | undefined;
  return function Lazy(props: P) {
    const [, ready] = useState(loaded !== undefined);
    useEffect(() => {
      if (loaded) return;
      let here = true;
      void load().then((component) => {
        loaded = component;
        if (here) ready(true);
      });
      return () => void (here = false);
    }, []);
    const Shown = loaded ?? room;
    return <Shown {...props} />;
  };
}
