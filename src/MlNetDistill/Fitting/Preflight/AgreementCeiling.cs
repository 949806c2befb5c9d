using System.Runtime.InteropServices;
using MlNetDistill.Data;
using MlNetDistill.Reading;
using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>
/// The largest agreement with a teacher that any student with the same features can have: rows with equal features get one prediction, at best the teacher's most
/// frequent one. It is below 1 if the teacher reads other columns than the student, or was fitted in folds. Of many rows, it is that of a part of them: of the rows
/// whose hashes are smallest, so that rows with equal features are all in the part or not.
/// </summary>
internal sealed class AgreementCeiling
{
    /// <summary>The most pairs of features and class that are kept, about 40 bytes each; up to twice as many while rows are added.</summary>
    public const int MostPairs = 1 << 17;

    private readonly Dictionary<(ulong Hash, long Class), long> _rows = [];
    private ulong _largest = ulong.MaxValue;

    /// <summary>Computes it from the teacher's predictions for the rows at some positions.</summary>
    public static double Compute(IRowSource set, Tensor positions, IReadOnlyList<long> predicted)
    {
        var ceiling = new AgreementCeiling();
        foreach (var (row, hash) in RowHashes.ComputeForSet(set, positions).Index())
            ceiling.Add(hash, predicted[row]);
        return ceiling.Value;
    }

    /// <summary>The share of the rows whose prediction is the most frequent one of their features.</summary>
    public double Value => _rows.GroupBy(pair => pair.Key.Hash, pair => pair.Value).Sum(equal => equal.Max()) / (double)_rows.Values.Sum();

    /// <summary>Adds a row.</summary>
    public void Add(ulong hash, long predicted)
    {
        if (hash > _largest)
            return;
        CollectionsMarshal.GetValueRefOrAddDefault(_rows, (hash, predicted), out _)++;
        if (_rows.Count >= 2 * MostPairs)
            Prune();
    }

    private void Prune()
    {
        // All classes of the same features stay together.
        _largest = _rows.Keys.Select(pair => pair.Hash).Order().ElementAt(MostPairs - 1);
        foreach (var pair in _rows.Keys.Where(pair => pair.Hash > _largest).ToList())
            _rows.Remove(pair);
    }
}
