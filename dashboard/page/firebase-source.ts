import { initializeApp } from "firebase/app";
import { connectFirestoreEmulator, type Firestore, initializeFirestore } from "firebase/firestore";
import { firestoreSource } from "../src/lib/firestoreSource";
import type { Identity } from "../src/lib/types";
import type { PageConfig } from "./config";
import type { PageSource } from "./model/page-store";

/** Return the source for a configuration: the emulator with a mock user, or a Firebase project with its sign-in. */
export async function firebaseSource(config: PageConfig): Promise<PageSource> {
  const app = initializeApp({
    projectId: config.projectId,
    apiKey: config.apiKey ?? "unused-by-the-emulator",
    ...(config.authDomain ? { authDomain: config.authDomain } : {}),
  });
  const firestore = initializeFirestore(app, {}, config.database ?? "(default)");
  if (config.mockUser || config.emulatorHost) {
    return emulatorSource(config, firestore);
  }
  // The emulator needs no sign-in, so only a project loads that part of Firebase.
  const { projectSource } = await import("./project-source");
  return projectSource(app, firestore);
}

// This browser remembers that the mock user is signed out, and its tabs share that, as with a real sign-in.
const SIGNED_OUT_KEY = "sluice.signed-out";

/** The emulator accepts a token that the page makes itself, so sign-in is a switch of the page. */
function emulatorSource({ emulatorHost, mockUser }: PageConfig, firestore: Firestore): PageSource {
  const [host, port] = splitAddress(emulatorHost ?? "");
  const { uid, tenantId } = mockUser ?? { uid: "signed-out", tenantId: "" };
  connectFirestoreEmulator(firestore, host, port, {
    mockUserToken: { sub: uid, tenant_id: tenantId, firebase: { sign_in_provider: "custom" } },
  });
  const listeners = new Set<(identity: Identity) => void>();
  const identity = (): Identity => {
    const signedIn = mockUser !== null && localStorage.getItem(SIGNED_OUT_KEY) === null;
    return { signedIn, userID: signedIn ? uid : null };
  };
  const report = () => {
    for (const listener of [...listeners]) {
      listener(identity());
    }
  };
  // The browser sends this event to the other tabs of the page.
  window.addEventListener("storage", report);
  return {
    ...firestoreSource(firestore),
    subscribeIdentity(listener) {
      listeners.add(listener);
      queueMicrotask(() => listeners.has(listener) && listener(identity()));
      return () => listeners.delete(listener);
    },
    async signIn() {
      if (!mockUser) {
        throw new Error("config.json has no mockUser: add one to sign in to the emulator.");
      }
      localStorage.removeItem(SIGNED_OUT_KEY);
      report();
    },
    async signOut() {
      localStorage.setItem(SIGNED_OUT_KEY, "1");
      report();
    },
  };
}

function splitAddress(address: string): [string, number] {
  const { hostname, port } = new URL(`http://${address}`);
  return [hostname, Number(port || 80)];
}
