/** Asks why in a dialog, for the moment that the page shows. */

for (const link of document.querySelectorAll("a[data-opens]")) {
  const dialog = document.getElementById(link.dataset.opens);
  link.addEventListener("click", (event) => {
    event.preventDefault();
    dialog.querySelector("form").action = link.href;
    dialog.showModal();
  });
}
