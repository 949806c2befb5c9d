namespace MlNetDistill.Reading;

/// <summary>Counts rows with a fault and remembers the first few.</summary>
internal sealed class RowFaults
{
    private const int Shown = 5;
    private readonly List<long> _first = [];

    public long Count { get; private set; }

    /// <summary>What was found in the first of these rows, or null.</summary>
    public string? FirstFound { get; private set; }

    public void Add(long row, string? found = null)
    {
        Count++;
        FirstFound ??= found;
        if (_first.Count < Shown)
            _first.Add(row);
    }

    /// <summary>For example <c>7 (rows 3, 8, 9, 12, 40, …, counted from 0)</c>.</summary>
    public override string ToString() => $"{Count} (rows {string.Join(", ", _first)}{(Count > Shown ? ", …" : "")}, counted from 0)";
}
