using System.Globalization;
using MlNetDistill.Tests.Documentation;

namespace MlNetDistill.Tests.Packages;

public sealed partial class ConsumerTests
{
    /// <summary>A student for each kind of docs/extending.md.</summary>
    private const string EveryKind = """
        using Microsoft.ML;
        using Microsoft.ML.Data;
        using MlNetDistill;
        using MlNetDistill.Core;
        using MlNetDistill.Losses;
        using MlNetDistill.Methods;
        using MlNetDistill.Networks;
        using static Microsoft.ML.Transforms.ValueToKeyMappingEstimator;

        // The class of a row is the place of the largest of its first three features, which the rule of the page knows.
        var mlContext = new MLContext(seed: 1);
        var random = new Random(1);
        var rows = mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 192).Select(_ =>
        {
            var features = Enumerable.Range(0, 36).Select(_ => random.NextSingle()).ToArray();
            return new Row { Features = features, Label = "abc"[Array.IndexOf(features, features.Take(3).Max())].ToString() };
        }).ToArray());
        var data = mlContext.Transforms.Conversion.MapValueToKey("Label", keyOrdinality: KeyOrdinality.ByValue).Fit(rows).Transform(rows);
        var usual = new DistillationOptions
        {
            Student = NetworkSpec.Mlp(16), Method = DistillationMethod.LabelsOnly(), Epochs = 10, BatchSize = 16, Optimizer = Optimizer.AdamW(0.01), Seed = 1,
        };
        var rule = usual with { Teacher = new LargestFeature(8), Method = DistillationMethod.Kd(temperature: 1, alpha: 1) };

        Fit("loss", rule with { Method = DistillationMethod.FromLoss("JS", (0.1 * new CrossEntropyLoss()) + (0.9 * new JensenShannonLoss(4))) });
        Fit("method", rule with { Method = new LabelsFirst() });
        Fit("network", usual with { Student = new MyNetwork(8, 1), ImageShape = InputShape.Image(1, 6, 6) });
        Fit("teacher", rule);
        Fit("optimiser", usual with { Optimizer = new SignSgd(0.01) });
        Fit("schedule", usual with { Schedule = new Linear() });
        Fit("augmentation", usual with { Augmentations = [new Brightness()] });
        Fit("batches", usual with { Sampling = new InOrder() });
        var route = Route.FromTeachers(("soft", new LargestFeature(4)), ("hard", new LargestFeature(8)));
        Fit("anchors", rule with { Teacher = route, Method = DistillationMethod.Rco(rule.Method, new SkipNear()), ValidationFraction = 0.25 });

        void Fit(string kind, DistillationOptions options)
        {
            var model = mlContext.MulticlassClassification.Trainers.Distill(options).Fit(data);
            var accuracy = mlContext.MulticlassClassification.Evaluate(model.Transform(data)).MicroAccuracy;
            var stages = string.Join(" | ", model.Model.History.Select(epoch => epoch.Stage).Distinct());
            Console.WriteLine(FormattableString.Invariant($"{kind}: {options.Student.Name}; {stages}; accuracy {accuracy:0.000}"));
        }

        class Row
        {
            [VectorType(36)]
            public float[] Features { get; set; } = [];

            public string Label { get; set; } = "";
        }
        """;

    private static readonly string[] StudentOfEachKind =
    [
        "loss: MLP 16; JS", "method: MLP 16; labels | KD", "network: blocks 8x1; labels only", "teacher: MLP 16; KD", "optimiser: MLP 16; labels only",
        "schedule: MLP 16; labels only", "augmentation: MLP 16; labels only", "batches: MLP 16; labels only", "anchors: MLP 16; KD, soft | KD, hard",
    ];

    [Test]
    public void Every_kind_of_the_page_trains_a_student_from_the_packages()
    {
        var blocks = CodeBlock.FindAll("docs/extending.md");

        var output = Run(
            "kinds", ["MlNetDistill", "TorchSharp-cpu", "Microsoft.ML.OnnxRuntime"], blocks.Select(block => ($"Line{block.Line}.cs", block.Code)).Prepend(("Program.cs", EveryKind)));

        var lines = output.Trim().Split('\n').Select(line => line.TrimEnd().Split("; accuracy ")).ToArray();

        Assert.Multiple(() =>
        {
            Assert.That(lines.Select(line => line[0]), Is.EqualTo(StudentOfEachKind));
            // A third is chance. The rows are no pictures, so of the image network only that it trains is asked.
            Assert.That(lines.Where(line => !line[0].StartsWith("network", StringComparison.Ordinal)).Select(line => double.Parse(line[^1], CultureInfo.InvariantCulture)), Has.All.GreaterThan(0.5));
            Assert.That(blocks, Has.Count.EqualTo(StudentOfEachKind.Length), "a kind of the page is not used by the program of this test");
        });
    }
}
