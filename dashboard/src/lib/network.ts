/** Whether the browser knows that this computer has no network. Outside a browser it never does. */
export const network = {
  isOffline: (): boolean => typeof navigator !== "undefined" && navigator.onLine === false,

  /** Call `action` after each change, until the function that this returns is called. */
  subscribe(action: () => void): () => void {
    if (typeof window === "undefined") {
      return () => {};
    }
    const names = ["online", "offline"] as const;
    for (const name of names) {
      window.addEventListener(name, action);
    }
    return () => {
      for (const name of names) {
        window.removeEventListener(name, action);
      }
    };
  },
};
