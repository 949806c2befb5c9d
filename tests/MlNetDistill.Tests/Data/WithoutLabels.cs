using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Methods;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Data;

/// <summary>Rows without any label, and a model that can teach over them.</summary>
public abstract class WithoutLabels
{
    private protected MLContext Context { get; private set; } = null!;

    private protected Point[] UnlabelledRows { get; private set; } = null!;

    private protected IDataView View { get; private set; } = null!;

    private protected IDataView Others { get; private set; } = null!;

    private protected ITransformer Regression { get; private set; } = null!;

    /// <summary>A regression that learnt from labelled rows teaches over others, whose labels are unknown values; MapValueToKey makes missing keys of these.</summary>
    [SetUp]
    public void Unlabelled()
    {
        Context = Rows.Context();
        Regression = Context.Regression().Fit(Context.Data.LoadFromEnumerable(Rows.Points(120, seed: 1)));
        UnlabelledRows = Rows.Points();
        var toKey = Context.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(Context.Data.LoadFromEnumerable(Rows.Points(3)));
        var others = Rows.Points(seed: 6);
        foreach (var row in UnlabelledRows.Concat(others))
            row.Label = "unknown";
        View = toKey.Transform(Context.Data.LoadFromEnumerable(UnlabelledRows));
        Others = toKey.Transform(Context.Data.LoadFromEnumerable(others));
    }

    private protected static DistillationOptions Quick(Teacher teacher) => Rows.Quick(teacher) with
    {
        Method = DistillationMethod.Kd(alpha: 1),
        MissingLabels = MissingLabels.TeacherOnly,
        Epochs = 8,
    };

    private protected static IEnumerable<double> Numbers(DistillationTransformer model) =>
        model.Model.History.SelectMany(epoch => epoch.Losses.Values.Append(epoch.Validation?.Loss ?? 0).Append(epoch.Validation?.Quality ?? 0));

    private protected static string?[] NamesOf(DistillationTransformer model, IDataView view)
    {
        VBuffer<ReadOnlyMemory<char>> values = default;
        model.Transform(view).Schema["PredictedLabel"].GetKeyValues(ref values);
        return [.. values.DenseValues().Select(value => value.ToString())];
    }

    private protected DistillationOptions Options() => Quick(Teacher.FromTransformer(Regression));

    /// <summary>The regression alone: without the step that reads the label.</summary>
    private protected Teacher TeacherWithout(ClassMap? map = null) => Teacher.FromTransformer(((IEnumerable<ITransformer>)Regression).Last(), classMap: map);

    private protected double AgreementWithRegression(ITransformer model, IDataView view) =>
        Rows.Agreement(model.Predictions(view), ((IEnumerable<ITransformer>)Regression).Last().Predictions(view));

    private protected sealed class Unnamed
    {
        [VectorType(4)]
        public float[] Features { get; set; } = [];
    }

    private protected sealed class Numbered
    {
        public int Label { get; set; }

        [VectorType(4)]
        public float[] Features { get; set; } = [];
    }

    private protected sealed class Flag
    {
        public bool Held { get; set; }
    }
}
