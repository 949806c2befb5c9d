using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Tests.Support;
using MlNetDistill.Tests.Teachers.Onnx;

namespace MlNetDistill.Tests.Options;

/// <summary>Settings of a method that were not given: those for its teacher, in the fit and in the report of its settings.</summary>
public sealed class DefaultSofteningTests
{
    private readonly MLContext _context = Rows.Context();
    private readonly IDataView _view;

    public DefaultSofteningTests() => _view = _context.Keyed(Rows.Points(60));

    public static readonly string[] Teachers = ["network", "model", "ensemble of networks", "mixed ensemble", "route of networks", "route of models"];

    [TestCaseSource(nameof(Teachers))]
    public void They_are_those_for_the_teacher_and_are_reported(string kind)
    {
        Teacher Network() => Teacher.Train(NetworkSpec.Mlp(8), epochs: 2);
        Teacher Model() => Teacher.FromEstimator(_context.Regression());
        var teacher = kind switch
        {
            "network" => Network(),
            "model" => Model(),
            "ensemble of networks" => Teacher.Ensemble(Network(), Network()),
            "mixed ensemble" => Teacher.Ensemble(Network(), Model()),
            "route of networks" => Route.Train(NetworkSpec.Mlp(8), every: 1, epochs: 2),
            _ => Route.FromEstimators(("first", _context.Regression()), ("second", _context.Regression())),
        };
        var (temperature, alpha) = (1.0, 0.5);
        DistillationMethod Method(double? t, double? a) => teacher.IsRoute ? DistillationMethod.Rco(DistillationMethod.Kd(t, a)) : DistillationMethod.Kd(t, a);
        var options = Rows.Quick(teacher) with { MinimumTeacherAccuracy = 0, Epochs = 2 };
        var (found, given) = (_context.Fit(options with { Method = Method(null, null) }, _view), _context.Fit(options with { Method = Method(temperature, alpha) }, _view));
        Assert.Multiple(() =>
        {
            Assert.That(found.Scores(_view), Is.EqualTo(given.Scores(_view)));
            Assert.That(Setting(found), Is.EqualTo(Setting(given)).And.Contains(FormattableString.Invariant($"Temperature {temperature}, Alpha {alpha}")));
            Assert.That($"{options with { Method = Method(null, null) }}", Does.Contain("Temperature by the teacher, Alpha by the teacher"));
        });

        static string Setting(DistillationTransformer model) => model.Model.Settings.Single(setting => setting.Name == "Method").Value;
    }

    [Test]
    public void Other_methods_have_the_temperature_of_KD()
    {
        var options = Rows.Quick(Teacher.FromEstimator(_context.Regression())) with { Epochs = 2 };
        Assert.Multiple(() =>
        {
            Assert.That(Scores(DistillationMethod.Dist()), Is.EqualTo(Scores(DistillationMethod.Dist(temperature: 1))));
            Assert.That(Scores(DistillationMethod.Cckd(missingEmbedding: MissingEmbedding.UseLogits)), Is.EqualTo(Scores(DistillationMethod.Cckd(temperature: 1, missingEmbedding: MissingEmbedding.UseLogits))));
        });

        float[][] Scores(DistillationMethod method) => _context.Fit(options with { Method = method }, _view).Scores(_view);
    }

    [Test]
    public void Answers_that_are_kept_in_a_folder_are_softened_anew()
    {
        using var folder = new ToyFolder();
        var options = Rows.Quick(Teacher.FromTransformer(_context.Regression().Fit(_view))) with { Epochs = 2 };
        var kept = options with { TeacherCache = new() { Folder = folder.Path } };
        Assert.Multiple(() =>
        {
            foreach (double? temperature in (double?[])[null, 3, 1])
            {
                var method = DistillationMethod.Kd(temperature);
                Assert.That(_context.Fit(kept with { Method = method }, _view).Scores(_view), Is.EqualTo(_context.Fit(options with { Method = method }, _view).Scores(_view)));
            }
        });
    }

    [TestCase(true, 4, 0.9)]
    [TestCase(false, 1, 0.5)]
    public void Networks_teach_images_as_the_CIFAR_scripts_do(bool givesLogits, double temperature, double alpha)
    {
        var teacher = givesLogits ? Teacher.Train(ToyPipelines.SmallResNet, epochs: 1) : Teacher.FromColumn("Opinion", classNames: ["a", "b", "c"]);
        var found = FitImages(teacher, DistillationMethod.Kd()).Model.Settings.Single(setting => setting.Name == "Method").Value;
        Assert.That(found, Does.Contain(FormattableString.Invariant($"Temperature {temperature}, Alpha {alpha}")));
    }

    [TestCase(null, null, ScoreKind.Auto, true)]
    [TestCase(1.0, null, ScoreKind.Auto, true)]
    [TestCase(1.0, 0.7, ScoreKind.Auto, false)]
    [TestCase(null, null, ScoreKind.Probabilities, false)]
    public void A_file_that_is_found_to_give_probabilities_is_warned_of_where_the_settings_are_those_for_logits(double? temperature, double? alpha, ScoreKind kind, bool warns)
    {
        var file = new OnnxBytes().Weights("w", OnnxBytes.Float, [64, 3]).Node("Flatten", ["x"], ["f"]).Node("MatMul", ["f", "w"], ["z"]).Node("Softmax", ["z"], ["p"])
            .Input("x", OnnxBytes.Float, "N", 1, 8, 8).Output("p", OnnxBytes.Float, "N", 3);
        var teacher = Teacher.FromOnnx(file.Write(), input: new TeacherInput { Scale = 1 / 255f }, scoreKind: kind, classNames: ["a", "b", "c"]);
        Assert.That(FitImages(teacher, DistillationMethod.Kd(temperature, alpha)).Model.Warnings, warns
            ? Has.One.EndsWith("has the settings for logits where none were given: these make probabilities, which are flat already, nearly equal. Set scoreKind: ScoreKind.Probabilities for the teacher, or the temperature of the method.")
            : Has.None.Contains("settings for logits"));
    }

    private DistillationTransformer FitImages(Teacher teacher, DistillationMethod method)
    {
        var images = _context.Data.LoadFromEnumerable(Enumerable.Range(0, 30).Select(i => new Image
        {
            Label = $"{"abc"[i % 3]}",
            Pixels = [.. Enumerable.Range(0, 64).Select(p => (byte)((p / 22 == i % 3 ? 150 : 0) + ((p * 7) + (i * 13)) % 60))],
            Opinion = [.. Enumerable.Range(0, 3).Select(c => c == i % 3 ? 0.5f : 0.25f)],
        }));
        var keyed = _context.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(images).Transform(images);
        return _context.Fit(
            Rows.Quick(teacher) with { Student = ToyPipelines.SmallResNet, Method = method, FeatureColumnName = "Pixels", MinimumTeacherAccuracy = 0, Epochs = 1 }, keyed);
    }

    private sealed class Image
    {
        public string Label { get; set; } = "";

        [VectorType(1, 8, 8)]
        public byte[] Pixels { get; set; } = [];

        [VectorType(3)]
        public float[] Opinion { get; set; } = [];
    }
}
