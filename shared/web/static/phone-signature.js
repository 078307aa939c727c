/** Signing on glass: what is drawn becomes the file of a field, as if somebody had chosen it. */

const LINE_PX = 3;
const DRAWN = "signature.png";

/** @param {HTMLCanvasElement} canvas @param {HTMLInputElement} file */
function sign(canvas, file) {
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const wipe = () => {
    const { clientWidth: width, clientHeight: height } = canvas;
    canvas.width = width * devicePixelRatio;
    canvas.height = height * devicePixelRatio;
    pen.scale(devicePixelRatio, devicePixelRatio);
    // Ink on paper, whatever the theme: it is kept as a document.
    pen.fillStyle = "white";
    pen.fillRect(0, 0, width, height);
    pen.strokeStyle = "black";
    pen.lineWidth = LINE_PX;
    pen.lineCap = "round";
  };
  const tell = () => {
    const signed = /** @type {HTMLInputElement | null} */ (document.querySelector(`[data-signed="${file.id}"]`));
    if (signed) signed.checked = Boolean(file.files?.length);
    for (const event of ["input", "change"]) file.dispatchEvent(new Event(event, { bubbles: true }));
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (canvas.width !== Math.floor(canvas.clientWidth * devicePixelRatio)) wipe();
    canvas.setPointerCapture(event.pointerId);
    pen.beginPath();
    pen.moveTo(event.offsetX, event.offsetY);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!canvas.hasPointerCapture(event.pointerId)) return;
    pen.lineTo(event.offsetX, event.offsetY);
    pen.stroke();
  });
  canvas.addEventListener("pointerup", () => {
    canvas.toBlob((drawn) => {
      if (!drawn) return;
      const chosen = new DataTransfer();
      chosen.items.add(new File([drawn], DRAWN, { type: "image/png" }));
      file.files = chosen.files;
      tell();
    });
  });
  file.addEventListener("restored", async () => {
    const [drawn] = file.files ?? [];
    // A photo of a signature on paper is seen by its name alone.
    if (drawn?.name !== DRAWN) return;
    const picture = await createImageBitmap(drawn);
    wipe();
    pen.drawImage(picture, 0, 0, canvas.clientWidth, canvas.clientHeight);
  });
  document.querySelector(`[data-wipes="${file.id}"]`)?.addEventListener("click", () => {
    wipe();
    file.value = "";
    tell();
  });
}

for (const canvas of document.querySelectorAll("canvas[data-signs]")) {
  const { signs = "" } = /** @type {HTMLElement} */ (canvas).dataset;
  sign(/** @type {HTMLCanvasElement} */ (canvas), /** @type {HTMLInputElement} */ (document.getElementById(signs)));
}
