namespace MlNetDistill.Reporting;

/// <summary>
/// How the page looks, on screens light or dark, wide or narrow, and on paper. Written into the page as it stands, so it holds no closing tag.
/// </summary>
internal static class PageStyle
{
    public const string Sheet = """

        :root {
          color-scheme: light dark;
          --paper: #ffffff; --panel: #f6f7f9; --ink: #1f2430; --muted: #565d6b; --rule: #dfe3ea; --link: #1857a4;
          --teacher: #9a4708; --alone: #5b6270; --student: #1c62b7; --float16: #00706e; --int8: #7a3e9d; --pass: #17653a; --fail: #a3211b;
        }
        @media screen and (prefers-color-scheme: dark) {
          :root {
            --paper: #14171e; --panel: #1b1f28; --ink: #e8eaf0; --muted: #a9b0be; --rule: #303642; --link: #8ec1ff;
            --teacher: #f0a35e; --alone: #a9b0be; --student: #6fb0ff; --float16: #54c8c2; --int8: #cfa0ec; --pass: #74d295; --fail: #ff9a90;
          }
        }
        * { box-sizing: border-box; }
        html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
        body {
          margin: 0 auto; padding: 1.25rem 1.5rem 4rem; max-width: 78rem; background: var(--paper); color: var(--ink);
          font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; overflow-wrap: break-word;
        }
        h1, h2, h3 { line-height: 1.25; text-wrap: balance; overflow-wrap: anywhere; }
        h1 { font-size: clamp(1.5rem, 1.2rem + 1vw, 1.875rem); font-weight: 650; letter-spacing: -0.015em; margin: 0 0 0.25rem; }
        h2 { font-size: 1.25rem; font-weight: 650; letter-spacing: -0.01em; margin: 0 0 0.5rem; }
        h3 { font-size: 1rem; font-weight: 650; margin: 2rem 0 0.5rem; }
        p, ul { margin: 0 0 1rem; max-width: 46rem; }
        a { color: var(--link); text-underline-offset: 0.2em; }
        a:focus-visible, summary:focus-visible, .scroll:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
        code { font: 0.875em/1.5 ui-monospace, "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
        small { font-size: 0.8125rem; color: var(--muted); }
        .lead { overflow-wrap: anywhere; margin-bottom: 0.25rem; }
        .made, .note { color: var(--muted); font-size: 0.875rem; overflow-wrap: anywhere; max-width: none; }
        .made { margin-bottom: 0.75rem; }
        .unseen { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; white-space: nowrap; }
        main { min-width: 0; }
        main section { margin-bottom: 1.5rem; scroll-margin-top: 1rem; }
        main section:has(> .fold) { margin: 0; border-top: 1px solid var(--rule); }
        .fold { margin: 0; }
        .fold > summary { padding: 0.625rem 0; color: var(--ink); }
        .fold > summary h2 { display: inline; font-size: 1.0625rem; margin: 0; }
        .fold > summary:hover h2 { text-decoration: underline; text-underline-offset: 0.2em; }
        .fold[open] { padding-bottom: 1.5rem; }
        footer { border-top: 1px solid var(--rule); padding-top: 1rem; font-size: 0.875rem; color: var(--muted); }

        .stamp { border-inline-start: 4px solid currentColor; padding: 0.375rem 1rem; margin-bottom: 0.75rem; background: var(--panel); max-width: none; }
        .stamp.fail, .stamp.pass { font-weight: 400; }
        .stamp strong { font-weight: 650; margin-inline-end: 0.5rem; }
        .pass { color: var(--pass); }
        .fail { color: var(--fail); font-weight: 650; }
        .sentences { padding-inline-start: 1.1rem; max-width: 66rem; }
        .sentences li { margin-bottom: 0.25rem; overflow-wrap: anywhere; }
        .sentences li::marker { color: var(--muted); }

        .scroll { overflow-x: auto; margin: 0 0 1.5rem; }
        table { border-collapse: collapse; width: 100%; font-size: 0.9375rem; line-height: 1.4; }
        caption { text-align: start; color: var(--muted); font-size: 0.875rem; padding-bottom: 0.5rem; }
        th, td { text-align: start; vertical-align: top; padding: 0.5rem 1rem 0.5rem 0; border-bottom: 1px solid var(--rule); }
        th:last-child, td:last-child { padding-inline-end: 0; }
        th { font-weight: 500; }
        th bdi, td bdi { display: inline-block; max-width: 22rem; }
        thead th bdi, tbody th bdi { max-width: 12rem; }
        caption span { display: block; position: sticky; inset-inline-start: 0; width: fit-content; max-width: min(46rem, 100vw - 2rem); }
        tbody th { position: sticky; inset-inline-start: 0; background: var(--paper); }
        td code { display: inline-block; min-width: 12rem; }
        thead th { font-size: 0.875rem; font-weight: 650; vertical-align: bottom; border-bottom: 1px solid var(--muted); }
        th small, .interval { display: block; font-weight: 400; }
        .figure { text-align: end; font-variant-numeric: tabular-nums; }
        td.figure, .result { white-space: nowrap; }
        .none { color: var(--muted); }

        .legend { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: 0.25rem 1.5rem; font-size: 0.875rem; max-width: none; }
        .legend li { overflow-wrap: anywhere; }
        .swatch { vertical-align: -0.1em; }
        .figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); gap: 2rem; margin: 0 0 1.5rem; align-items: start; }
        #summary .figures { margin-bottom: 0.75rem; gap: 1.25rem 2rem; }
        #summary .figures > div > figure + figure { margin-top: 0.5rem; }
        #summary .legend { margin-bottom: 0.5rem; }
        figure { margin: 0; min-width: 0; }
        figcaption { font-size: 0.9375rem; font-weight: 600; margin-bottom: 0.375rem; overflow-wrap: anywhere; }
        figure svg { display: block; width: 100%; max-width: 27rem; height: auto; }
        .matrix figcaption { font-weight: 400; font-size: 0.875rem; color: var(--muted); max-width: 46rem; }
        .matrix svg { width: auto; max-width: none; }
        details { margin: 0 0 1.5rem; }
        summary { cursor: pointer; color: var(--link); font-size: 0.875rem; padding: 0.25rem 0; }
        details[open] summary { margin-bottom: 0.75rem; }
        .meanings { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(24rem, 100%), 1fr)); gap: 1.25rem 2.5rem; margin: 0;
          font-size: 0.9375rem; }
        .meanings dt { font-weight: 600; }
        .meanings dd { margin: 0; color: var(--muted); }

        svg text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; fill: var(--ink);
          font-variant-numeric: tabular-nums; unicode-bidi: plaintext; }
        svg .tick, svg .muted { fill: var(--muted); }
        svg .label { paint-order: stroke; stroke: var(--paper); stroke-width: 4px; stroke-linejoin: round; }
        svg .stagenumber { font-size: 11px; fill: var(--muted); }
        svg .count { font-size: 11px; }
        svg .worse { fill: var(--fail); }
        svg .better { fill: var(--pass); }
        .grid { stroke: var(--rule); stroke-width: 1; }
        .stage { stroke: var(--muted); stroke-width: 1; stroke-dasharray: 2 3; }
        .ideal { stroke: var(--muted); stroke-width: 1; stroke-dasharray: 5 4; }
        .whisker { stroke-width: 1.5; }
        .whisker.teacher { stroke: var(--teacher); }
        .whisker.alone { stroke: var(--alone); }
        .whisker.student { stroke: var(--student); }
        .whisker.float16, .curve.float16 { stroke: var(--float16); }
        .whisker.int8, .curve.int8 { stroke: var(--int8); }
        .tail { stroke: var(--ink); stroke-width: 2; }
        .curve { fill: none; stroke-width: 1.75; stroke-linejoin: round; }
        .curve.teacher { stroke: var(--teacher); stroke-dasharray: 2 3; }
        .curve.alone { stroke: var(--alone); stroke-dasharray: 7 4; }
        .curve.student { stroke: var(--student); }
        .mark { stroke: var(--paper); stroke-width: 1; }
        .mark.teacher, .bar.teacher { fill: var(--teacher); }
        .mark.alone, .bar.alone, .bar.neither { fill: var(--alone); }
        .mark.student, .bar.student, .bar.both { fill: var(--student); }
        .mark.float16, .bar.float16 { fill: var(--float16); }
        .mark.int8, .bar.int8 { fill: var(--int8); }
        .bar.lost { fill: var(--fail); }
        .bar.gained { fill: var(--pass); }
        .span { stroke-width: 3; }
        .span.lost { stroke: var(--fail); stroke-dasharray: 4 2; }
        .span.gained { stroke: var(--pass); }
        .cell { stroke: var(--rule); stroke-width: 0.5; }
        .cell.same { fill: var(--student); }
        .cell.other { fill: var(--teacher); }
        .frame { fill: none; stroke: var(--rule); stroke-width: 1; }

        @media (max-width: 30rem) {
          body { padding: 1rem 1rem 3rem; }
          table { font-size: 0.875rem; }
          th, td { padding-inline-end: 0.75rem; }
          tbody th { max-width: 8rem; }
          thead th bdi, tbody th bdi { max-width: 8rem; }
        }
        @media print {
          @page { margin: 15mm; }
          html { font-size: 10pt; }
          body { padding: 0; max-width: none; }
          details:not(.fold):not([open]), details:not(.fold) > summary { display: none; }
          .fold::details-content { content-visibility: visible; display: block; height: auto; }
          .fold > summary { list-style: none; break-after: avoid; }
          .fold { padding-bottom: 1.5rem; }
          h2, h3, caption, figcaption, thead, .legend { break-after: avoid; }
          tbody tr:first-child, tbody tr:nth-child(2) { break-before: avoid; }
          figure, tr, .meanings div, .stamp { break-inside: avoid; }
          thead { display: table-header-group; }
          .scroll { overflow: visible; }
          .matrix svg { width: 100%; max-width: 100%; height: auto; }
          tbody th { position: static; }
          table { font-size: 0.75rem; }
          th, td { padding-inline-end: 0.5rem; }
          th bdi, td bdi { max-width: 11rem; overflow-wrap: anywhere; }
          .matrix svg { max-height: 230mm; }
          .figures { grid-template-columns: 1fr 1fr; }
        }

        """;
}
