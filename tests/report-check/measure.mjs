// What is measured inside the page; runs there, so it can use nothing from outside of itself.
export function measure(isPaper) {
  const findings = [];
  const smallest = isPaper ? 8 : 10;
  const around = text => `“${text.textContent.trim().slice(0, 40)}”`;

  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 1;
  const pen = canvas.getContext('2d', { willReadFrequently: true });
  const rgb = colour => {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = colour => colour.map(c => c / 255).map(c => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const contrast = (a, b) => {
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  const isClear = colour => colour === 'rgba(0, 0, 0, 0)' || colour === 'transparent';
  const backgrounds = [document.body, document.documentElement].map(e => getComputedStyle(e).backgroundColor).filter(c => !isClear(c));
  const paper = rgb(backgrounds[0] ?? 'white');
  const over = (top, share) => top.map((c, i) => c * share + paper[i] * (1 - share));

  function overflow() {
    const page = document.documentElement;
    if (page.scrollWidth <= page.clientWidth) return;
    const widest = [...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll') || isPaper).map(e => [e.getBoundingClientRect().right, e])
      .sort((a, b) => b[0] - a[0])[0];
    findings.push(`the page is ${page.scrollWidth} px wide and its window ${page.clientWidth}; widest is <${widest?.[1].tagName.toLowerCase()}> ${widest ? around(widest[1]) : ''}`);
  }

  function glyphs() {
    const own = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const users = new Set([...document.querySelectorAll('bdi')].flatMap(e => [...e.textContent]));
    const used = new Set();
    while (own.nextNode()) for (const c of own.currentNode.nodeValue) if (!users.has(c) && !/[\p{White_Space}\p{Cf}]/u.test(c)) used.add(c);
    const sheet = Object.assign(document.createElement('canvas'), { width: 40, height: 40 });
    const brush = sheet.getContext('2d', { willReadFrequently: true });
    brush.font = `24px ${getComputedStyle(document.body).fontFamily}`;
    const drawn = c => {
      brush.clearRect(0, 0, 40, 40);
      brush.fillText(c, 4, 30);
      return brush.getImageData(0, 0, 40, 40).data.join();
    };
    // No font has a glyph for a character that does not exist, so this is what a missing glyph looks like.
    const missing = drawn('\u0378');
    for (const c of used) if (drawn(c) === missing) findings.push(`no glyph for U+${c.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')} (${c})`);
  }

  function texts(svg) {
    const frame = svg.getBoundingClientRect();
    const scale = svg.viewBox.baseVal?.width ? frame.width / svg.viewBox.baseVal.width : 1;
    const boxes = [...svg.querySelectorAll('text')].filter(text => text.textContent.trim()).map(text => ({ text, box: text.getBoundingClientRect() }));
    for (const { text, box } of boxes) {
      if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1)
        findings.push(`text in a picture is cut off: ${around(text)}`);
      const size = parseFloat(getComputedStyle(text).fontSize) * scale;
      if (size < smallest - 0.05) findings.push(`text in a picture is ${size.toFixed(1)} px small: ${around(text)}`);
      const under = [...svg.querySelectorAll('.cell')].find(cell => {
        const c = cell.getBoundingClientRect();
        return box.left + box.width / 2 > c.left && box.left + box.width / 2 < c.right && box.top + box.height / 2 > c.top && box.top + box.height / 2 < c.bottom;
      });
      const behind = under ? over(rgb(getComputedStyle(under).fill), parseFloat(getComputedStyle(under).fillOpacity)) : paper;
      const found = contrast(rgb(getComputedStyle(text).fill), behind);
      if (found < 4.5) findings.push(`text in a picture has a contrast of ${found.toFixed(2)}, less than 4.5: ${around(text)}`);
    }
    boxes.forEach((a, i) => boxes.slice(i + 1).forEach(b => {
      const across = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
      const down = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
      if (across > 1 && down > 3) findings.push(`texts in a picture overlap: ${around(a.text)} and ${around(b.text)}`);
    }));
  }

  function pictures() {
    for (const svg of document.querySelectorAll('svg')) {
      if (svg.getAttribute('aria-hidden') === 'true') continue;
      const name = (svg.getAttribute('aria-labelledby') ?? '').split(/\s+/).map(id => document.getElementById(id)?.textContent ?? '').join(' ').trim() || svg.getAttribute('aria-label');
      if (svg.getAttribute('role') !== 'img' || !name) findings.push('a picture is not said in words: it needs role="img" and a title');
      if (svg.getBoundingClientRect().width > 0) texts(svg);
      for (const mark of svg.querySelectorAll('.mark, .curve')) {
        const style = getComputedStyle(mark);
        const found = contrast(rgb(mark.matches('.curve') ? style.stroke : style.fill), paper);
        if (found < 3) findings.push(`what is drawn in a picture has a contrast of ${found.toFixed(2)}, less than 3: ${mark.getAttribute('class')}`);
      }
    }
  }

  function firstScreen() {
    // What a report says first: charts and verdict, below a header of a title of one or two lines.
    const [main, verdict] = [document.querySelector('main'), document.querySelector('#verdict')];
    if (!main || !verdict || isPaper || innerWidth < 1000) return;
    const height = verdict.getBoundingClientRect().bottom - main.getBoundingClientRect().top;
    if (height > 780) findings.push(`charts and verdict are ${Math.round(height)} px high and do not fit on a first screen`);
  }

  if (document.querySelector('script')) findings.push('the page has a script');
  overflow();
  firstScreen();
  glyphs();
  pictures();
  return [...new Set(findings)];
}
