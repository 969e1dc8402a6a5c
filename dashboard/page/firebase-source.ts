import { type FirebaseApp, initializeApp } from "firebase/app";
import { type Auth, GoogleAuthProvider, getAuth, signInWithPopup, signOut } from "firebase/auth";
import { connectFirestoreEmulator, type Firestore, initializeFirestore } from "firebase/firestore";
import { firestoreSource } from "../src/lib/firestoreSource";
import type { Identity } from "../src/lib/types";
import type { PageConfig } from "./config";
import type { PageSource } from "./model/page-store";

/** Return the source for a configuration: the emulator with a mock user, or a Firebase project with its sign-in. */
export function firebaseSource(config: PageConfig): PageSource {
  const app = initializeApp({
    projectId: config.projectId,
    apiKey: config.apiKey ?? "unused-by-the-emulator",
    ...(config.authDomain ? { authDomain: config.authDomain } : {}),
  });
  const firestore = initializeFirestore(app, {}, config.database ?? "(default)");
  return config.mockUser || config.emulatorHost ? emulatorSource(config, firestore) : projectSource(app, firestore);
}

function projectSource(app: FirebaseApp, firestore: Firestore): PageSource {
  const auth: Auth = getAuth(app);
  return {
    ...firestoreSource(firestore, auth),
    async signIn() {
      await signInWithPopup(auth, new GoogleAuthProvider());
    },
    signOut: () => signOut(auth),
  };
}

/** The emulator accepts a token that the page makes itself, so sign-in is a switch of the page. */
function emulatorSource(config: PageConfig, firestore: Firestore): PageSource {
  const [host, port] = splitAddress(config.emulatorHost ?? "");
  const { uid, tenantId } = config.mockUser ?? { uid: "nobody", tenantId: "" };
  connectFirestoreEmulator(firestore, host, port, {
    mockUserToken: { sub: uid, tenant_id: tenantId, firebase: { sign_in_provider: "custom" } },
  });
  const listeners = new Set<(identity: Identity) => void>();
  let identity: Identity = { signedIn: config.mockUser !== null, userID: config.mockUser?.uid ?? null };
  const change = async (signedIn: boolean) => {
    if (signedIn && !config.mockUser) {
      throw new Error("config.json has no mockUser: add one to sign in to the emulator.");
    }
    identity = { signedIn, userID: signedIn ? uid : null };
    for (const listener of listeners) {
      listener(identity);
    }
  };
  return {
    ...firestoreSource(firestore),
    subscribeIdentity(listener) {
      listeners.add(listener);
      queueMicrotask(() => listeners.has(listener) && listener(identity));
      return () => listeners.delete(listener);
    },
    signIn: () => change(true),
    signOut: () => change(false),
  };
}

function splitAddress(address: string): [string, number] {
  const { hostname, port } = new URL(`http://${address}`);
  return [hostname, Number(port || 80)];
}
