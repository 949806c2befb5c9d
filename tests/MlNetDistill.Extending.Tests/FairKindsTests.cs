using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Core;
using MlNetDistill.Extending.Tests.Kinds;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Training;

namespace MlNetDistill.Extending.Tests;

/// <summary>Kinds of an application that do something unusual and nothing wrong: no check refuses them.</summary>
public sealed class FairKindsTests
{
    [Test]
    public void An_optimizer_may_collect_the_gradients_of_several_steps() =>
        Assert.That(Points.Fit(Points.Options with { Optimizer = new Collecting(0.5), Epochs = 40 }).Accuracy(), Is.GreaterThan(0.8));

    [TestCase(95)]
    [TestCase(2)]
    [TestCase(1)]
    public void An_augmentation_may_drop_elements_by_its_draws(int batchSize) => Points.Fit(Points.Options with
    {
        BatchSize = batchSize,
        Epochs = 1,
        Sampling = new InOrder(),
        Augmentations = [new CarelessChange("drop", (rows, draws) => rows.mul(draws.UniformElements("drop").ge(0.3)))],
    });

    [Test]
    public void A_teacher_that_is_trained_keeps_its_last_epoch_where_no_held_out_row_has_a_label()
    {
        var context = new MLContext(seed: 1);
        var view = Points.View(context);
        var unlabelled = context.Data.LoadFromEnumerable(Enumerable.Range(0, 20).Select(i => new Unlabelled { Features = [i / 20f, -0.5f] }));
        var reports = new List<TrainingProgress>();
        var model = context.MulticlassClassification.Trainers.Distill(Points.Options with
        {
            Epochs = 1,
            MissingLabels = MissingLabels.TeacherOnly,
            Teacher = Teacher.Train(NetworkSpec.Mlp(16), epochs: 40),
            Method = DistillationMethod.Kd(),
            ValidationData = context.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(view).Transform(unlabelled),
            Progress = new Reports(reports),
        }).Fit(view);

        Assert.Multiple(() =>
        {
            Assert.That(model.Teacher!.Accuracy(), Is.GreaterThan(0.8));
            Assert.That(reports.Where(report => report.Stage == "teacher").Select(report => report.Validation), Has.All.Null);
            Assert.That(model.Model.History.Select(epoch => epoch.Validation!.Measure), Has.All.EqualTo("agreement"));
        });
    }

    private sealed class Unlabelled
    {
        [VectorType(2)]
        public float[] Features { get; set; } = [];

        public string Label { get; set; } = "unknown";
    }

    private sealed class Reports(List<TrainingProgress> into) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => into.Add(value);
    }

    /// <summary>Descent by the mean gradient of four steps.</summary>
    private sealed record Collecting(double LearningRate) : Optimizer(LearningRate)
    {
        protected override void Update(OptimizerStep step)
        {
            foreach (var (parameter, gradient) in step.Gradients())
            {
                var sum = parameter.Tensor("sum").add_(gradient);
                if (step.Number % 4 != 0)
                    continue;
                parameter.Value.sub_(sum.MultiplyBy(step.LearningRate / 4));
                sum.zero_();
            }
        }
    }
}
