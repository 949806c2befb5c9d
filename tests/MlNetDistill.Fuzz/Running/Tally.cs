using System.Text;
using static System.FormattableString;

namespace MlNetDistill.Fuzz.Running;

/// <summary>The table of all readers.</summary>
internal sealed class Tally
{
    private readonly List<ReaderResult> _results = [];

    public bool HasFaults => _results.Any(result => result.Faults > 0);

    public string LastLine => Line(_results[^1]);

    public void Add(ReaderResult result) => _results.Add(result);

    public string ToMarkdown()
    {
        var text = new StringBuilder("| reader | inputs | read | refused | faults | seconds | most allocated for one input | of its limit |\n|---|--:|--:|--:|--:|--:|--:|--:|\n");
        foreach (var result in _results)
            text.Append(Line(result)).Append('\n');
        return text.Append(Line(Sum())).Append('\n').ToString();
    }

    private ReaderResult Sum() => new("all")
    {
        Inputs = _results.Sum(result => result.Inputs),
        Accepted = _results.Sum(result => result.Accepted),
        Refused = _results.Sum(result => result.Refused),
        Faults = _results.Sum(result => result.Faults),
        Seconds = _results.Sum(result => result.Seconds),
        MostAllocated = _results.Max(result => result.MostAllocated),
        MostOfLimit = _results.Max(result => result.MostOfLimit),
    };

    private static string Line(ReaderResult result) => Invariant(
        $"| {result.Reader} | {result.Inputs:N0} | {result.Accepted:N0} | {result.Refused:N0} | {result.Faults:N0} | {result.Seconds:N0} | {result.MostAllocated >> 10:N0} KiB | {100 * result.MostOfLimit:0} % |");
}
