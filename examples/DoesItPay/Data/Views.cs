using Microsoft.ML;

namespace DoesItPay.Data;

/// <summary>Rows as data views with the key column <c>Class</c>, and the steps from their columns to the <c>Features</c> of a model.</summary>
internal sealed class Views
{
    private readonly MLContext _mlContext;
    private readonly ITransformer _keys;

    public Views(MLContext mlContext, DataSet set)
    {
        (_mlContext, Set) = (mlContext, set);
        // All classes are known, also where few rows have labels, so the keys of all views are the same.
        var classes = mlContext.Data.LoadFromEnumerable(set.Classes.Select(name => new ClassName { Name = name }));
        _keys = mlContext.Transforms.Conversion.MapValueToKey("Class", nameof(Record.Label), keyData: classes).Fit(Load(set.Train, hasTarget: false));
        Test = View(set.Test);
    }

    public DataSet Set { get; }

    public IDataView Test { get; }

    /// <summary>Rows with their classes as keys; rows without a label have a missing key.</summary>
    public IDataView View(IReadOnlyList<Record> rows, bool hasTarget = false) => _keys.Transform(Load(rows, hasTarget));

    /// <summary>From raw columns to <c>Features</c>; each model fits its own on the rows that it has.</summary>
    public IEstimator<ITransformer> Encoding()
    {
        if (Set.Image is not null)
            return _mlContext.Transforms.CopyColumns("Features", nameof(Record.Numbers));
        var scaling = _mlContext.Transforms.NormalizeMeanVariance("Scaled", nameof(Record.Numbers), fixZero: false);
        InputOutputColumnPair[] texts = [.. Enumerable.Range(1, Set.Texts).Select(i => new InputOutputColumnPair($"Category{i}", $"Text{i}"))];
        return texts.Length == 0
            ? scaling.Append(_mlContext.Transforms.CopyColumns("Features", "Scaled"))
            : scaling.Append(_mlContext.Transforms.Categorical.OneHotEncoding(texts))
                .Append(_mlContext.Transforms.Concatenate("Features", ["Scaled", .. texts.Select(text => text.OutputColumnName)]));
    }

    private IDataView Load(IReadOnlyList<Record> rows, bool hasTarget) => _mlContext.Data.LoadFromEnumerable(rows, Record.Schema(Set, hasTarget));

    private sealed class ClassName
    {
        public string Name { get; set; } = "";
    }
}
