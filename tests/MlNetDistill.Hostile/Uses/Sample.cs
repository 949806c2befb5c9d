using Microsoft.ML;
using Microsoft.ML.Data;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MlNetDistill.Hostile.Uses;

/// <summary>Ordinary parts of a wrong use.</summary>
internal static class Sample
{
    private static readonly Lock Generator = new();

    /// <summary>Epochs after which a student of the points that learns is right about nearly all.</summary>
    public static DistillationOptions Learning(Teacher? teacher = null) => Rows.Quick(teacher) with { Epochs = 12 };

    /// <summary>The shortest training.</summary>
    public static DistillationOptions Short(Teacher? teacher = null) => Rows.Quick(teacher) with { Epochs = 1, MinimumTeacherAccuracy = 0 };

    public static IDataView Points(int count = 120) => Log.Context().Keyed(Rows.Points(count));

    public static DistillationTransformer Fit(DistillationOptions options, IDataView? view = null) => Log.Context().Fit(options, view ?? Points());

    public static DistillationTrainer Trainer(DistillationOptions options) => Log.Context().MulticlassClassification.Trainers.Distill(options);

    /// <summary>Share of fresh points that the student names rightly; a student that learnt is above 0.9.</summary>
    public static double Accuracy(ITransformer student)
    {
        var points = Rows.Points(120, seed: 77);
        return student.AccuracyOn(points, Log.Context().Keyed(points));
    }

    /// <summary>A fit whose student must have learnt.</summary>
    public static void Learns(DistillationOptions options, IDataView? view = null, double least = 0.9) => Check.AtLeast(Accuracy(Fit(options, view)), least, "accuracy");

    /// <summary>A perceptron of TorchSharp's modules that was trained on the points; the caller's.</summary>
    public static Sequential Module(int inputs = 4, int classes = 3, bool trained = true)
    {
        // Cases ask for it in modes without gradients, and side by side: the generator is one for the process.
        lock (Generator)
        {
            using var mode = inference_mode(false);
            using var gradients = enable_grad();
            return Made(inputs, classes, trained);
        }
    }

    private static Sequential Made(int inputs, int classes, bool trained)
    {
        using var scope = NewDisposeScope();
        random.manual_seed(4);
        var module = nn.Sequential(("first", nn.Linear(inputs, 12)), ("relu", nn.ReLU()), ("last", nn.Linear(12, classes)));
        if (trained)
        {
            using var optimizer = optim.Adam(module.parameters(), 0.05);
            var rows = Rows.Points();
            var x = tensor(rows.SelectMany(r => r.Features).ToArray(), [rows.Length, 4]);
            var y = tensor(rows.Select(r => (long)Array.IndexOf(Rows.Classes, r.Label)).ToArray());
            for (var step = 0; step < 60; step++)
            {
                optimizer.zero_grad();
                nn.functional.cross_entropy(module.call(x), y).backward();
                optimizer.step();
            }
        }

        foreach (var value in module.state_dict().Values)
            value.DetachFromDisposeScope();
        return module;
    }

    /// <summary>A teacher that was trained on the points.</summary>
    public static Teacher Teaching(string? identity = null) => Teacher.FromModule(Module(), classNames: Rows.Classes, cacheKey: identity);

    /// <summary>A teacher that answers by a function of the features.</summary>
    public static Teacher Saying(Func<float[], float[]> score, ScoreKind kind = ScoreKind.Auto, IReadOnlyList<string>? classNames = null)
    {
        var context = Log.Context();
        var model = context.Transforms.CustomMapping<Seen, Answer>((row, answer) => answer.Score = score(row.Features), "hostile").Fit(Points(6));
        return Teacher.FromTransformer(model, scoreKind: kind, classNames: classNames ?? Rows.Classes);
    }

    /// <summary>ML.NET's own multinomial regression on the labels.</summary>
    public static IEstimator<ITransformer> Regression(MLContext? context = null)
    {
        context ??= Log.Context();
        return context.Transforms.Conversion.MapValueToKey("TeacherClass", "Label").Append(context.MulticlassClassification.Trainers.LbfgsMaximumEntropy("TeacherClass"));
    }

    public static float[][] GetColumnOf(this IDataView view, string column) => [.. view.GetColumn<float[]>(column)];

    public static string Model(string name) => Path.Combine(AppContext.BaseDirectory, "Models", name);

    private sealed class Seen
    {
        [VectorType(4)]
        public float[] Features { get; set; } = [];
    }

    private sealed class Answer
    {
        [VectorType(3)]
        public float[] Score { get; set; } = [];
    }
}
