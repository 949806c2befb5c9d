using DoesItPay.Data;
using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill;
using MlNetDistill.Networks;

namespace DoesItPay.Training;

/// <summary>A teacher with its answers for the test rows and what it costs.</summary>
internal sealed class FittedTeacher(string name, MLContext mlContext, Views views, Teacher teacher, IReadOnlyList<ITransformer> models)
{
    private readonly Lazy<(long ZipBytes, double Microseconds)> _cost = new(() => models.Select(model => Cost.Measure(mlContext, views.Set, model))
        .Aggregate((a, b) => (a.ZipBytes + b.ZipBytes, a.Microseconds + b.Microseconds)));

    private IDataView? _test;

    /// <summary>Its name on the command line.</summary>
    public string Name => name;

    public Teacher Teacher => teacher;

    /// <summary>The same, to be fitted where it is used.</summary>
    public required Teacher Unfitted { get; init; }

    /// <summary>The test rows with its probabilities in <c>TeacherScore</c>.</summary>
    public IDataView Test => _test ??= Answer(views.Test);

    /// <summary>Size and time of a row; of an ensemble, the sums over its members.</summary>
    public (long ZipBytes, double Microseconds) Costs => _cost.Value;

    /// <summary>Its probabilities for rows, in the order of the classes.</summary>
    public float[][] Scores(IReadOnlyList<Record> rows) => [.. Answer(views.View(rows)).GetColumn<float[]>("TeacherScore")];

    // Only the teacher is queried; the student of these options is not trained.
    private IDataView Answer(IDataView rows) => mlContext.MulticlassClassification.Trainers.Distill(new DistillationOptions
    {
        Teacher = teacher,
        Student = NetworkSpec.Mlp(),
        LabelColumnName = "Class",
        FeatureColumnName = nameof(Record.Numbers),
    }).ScoreTeacher(rows);
}
