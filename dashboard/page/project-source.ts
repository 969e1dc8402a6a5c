import type { FirebaseApp } from "firebase/app";
import { type Auth, GoogleAuthProvider, getAuth, signInWithPopup, signOut } from "firebase/auth";
import type { Firestore } from "firebase/firestore";
import { firestoreSource } from "../src/lib/firestoreSource";
import type { PageSource } from "./model/page-store";

/** Return the source for a Firebase project, with its sign-in. The browser shares the sign-in between its tabs. */
export function projectSource(app: FirebaseApp, firestore: Firestore): PageSource {
  const auth: Auth = getAuth(app);
  return {
    ...firestoreSource(firestore, auth),
    async signIn() {
      await signInWithPopup(auth, new GoogleAuthProvider());
    },
    signOut: () => signOut(auth),
  };
}
