/** Signing out on any page: nothing stays in the device but what wasn't sent, and that sealed. */

for (const form of document.querySelectorAll('form[action="/sign-out"]')) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { leave } = await import("./phone-store.js");
    try {
      await leave();
    } finally {
      /** @type {HTMLFormElement} */ (form).submit();
    }
  });
}
