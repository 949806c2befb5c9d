using Microsoft.ML;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
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
        var isOfNetworks = kind is "network" or "ensemble of networks" or "route of networks";
        var (temperature, alpha) = isOfNetworks ? (4.0, 0.9) : (1.0, 0.7);
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

    [TestCase(null, null, ScoreKind.Auto, true)]
    [TestCase(1.0, null, ScoreKind.Auto, true)]
    [TestCase(1.0, 0.7, ScoreKind.Auto, false)]
    [TestCase(null, null, ScoreKind.Probabilities, false)]
    public void A_file_that_is_found_to_give_probabilities_is_warned_of_where_the_settings_are_those_for_logits(double? temperature, double? alpha, ScoreKind kind, bool warns)
    {
        var file = new OnnxBytes().Weights("w", OnnxBytes.Float, [4, 3]).Node("MatMul", ["x", "w"], ["z"]).Node("Softmax", ["z"], ["p"])
            .Input("x", OnnxBytes.Float, "N", 4).Output("p", OnnxBytes.Float, "N", 3);
        var teacher = Teacher.FromOnnx(file.Write(), scoreKind: kind, classNames: Rows.Classes);
        var model = _context.Fit(Rows.Quick(teacher) with { Method = DistillationMethod.Kd(temperature, alpha), MinimumTeacherAccuracy = 0, Epochs = 1 }, _view);
        Assert.That(model.Model.Warnings, warns
            ? Has.One.EndsWith("has the settings for logits where none were given: these make probabilities, which are flat already, nearly equal. Set scoreKind: ScoreKind.Probabilities for the teacher, or the temperature of the method.")
            : Has.None.Contains("settings for logits"));
    }
}
