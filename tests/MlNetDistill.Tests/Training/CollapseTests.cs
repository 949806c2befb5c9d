using Microsoft.ML;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Training;

/// <summary>A student that has learnt nothing was handed out like any other.</summary>
public sealed class CollapseTests
{
    private readonly MLContext _context = Rows.Context();
    private readonly IDataView _view;

    public CollapseTests() => _view = _context.Keyed(Rows.Points());

    private static DistillationOptions Rate(double rate, int epochs = 6) => Rows.Quick() with
    {
        Optimizer = Optimizer.Sgd(rate, momentum: 0, nesterov: false, weightDecay: 0),
        Schedule = LearningRateSchedule.Constant(),
        Epochs = epochs,
    };

    private DistillationOptions Collapsing =>
        Rows.Quick(Teacher.FromTransformer(_context.Regression().Fit(_view))) with { Method = DistillationMethod.Kd(4, 0.9), Optimizer = Optimizer.AdamW(10), Seed = 2 };

    [Test]
    public void A_student_that_names_one_class_is_warned_of()
    {
        var log = new RowsLog(_context);
        var model = _context.Fit(Collapsing, _view);
        Assert.That(model.Predictions(_view).Distinct().Count(), Is.EqualTo(1), "what this test is about");
        Assert.Multiple(() =>
        {
            Assert.That(model.Model.Warnings, Has.One.StartsWith("The student has collapsed: on the 240 training rows checked it only predicts '")
                .And.One.Contains("Optimizer.LearningRate is 10; try a tenth"));
            Assert.That(log.Warnings, Is.EqualTo(model.Model.Warnings));
        });
    }

    [Test]
    public void A_rate_that_diverges_is_said_while_it_does()
    {
        var log = new RowsLog(_context);
        _context.Fit(Rate(10), _view);
        var lines = log.Lines.ToList();
        var said = lines.FindIndex(line => line.StartsWith("Stage 'labels only', epoch 1: the training loss is ", StringComparison.Ordinal));
        Assert.That(said, Is.GreaterThanOrEqualTo(0).And.LessThan(lines.FindIndex(line => line.StartsWith("labels only epoch 1/6", StringComparison.Ordinal))));
        Assert.That(lines[said], Does.Contain("training diverges at a learning rate of 10. Lower Optimizer.LearningRate (10; a tenth is a usual next try), set GradientClipping"));
        Assert.That(lines.Count(line => line.Contains("training diverges", StringComparison.Ordinal)), Is.EqualTo(1));
    }

    [Test]
    public void A_student_that_weight_decay_keeps_at_nothing_is_not_told_to_raise_the_rate() => Assert.That(
        _context.Fit(Rows.Quick() with { Optimizer = Optimizer.Sgd(0.1, weightDecay: 5) }, _view).Model.Warnings,
        Has.One.Contains("Each step at the peak rate reduces every weight by 50 % (WeightDecay 5 times LearningRate 0.1), faster than it can learn: lower WeightDecay."));

    [Test]
    public void Gradients_that_an_optimizer_cannot_square_are_told() => Assert.That(
        _context.Fit(Rows.Quick() with { Method = DistillationMethod.FromLoss("enormous", 1e30 * new CrossEntropyLoss()) }, _view).Model.Warnings,
        Has.One.StartsWith("Stage 'enormous': gradients are as large as "));

    [Test]
    public void A_class_lost_on_the_way_is_named()
    {
        var model = _context.Fit(Rate(10) with { Seed = 2 }, _view);
        Assert.That(model.Predictions(_view).Distinct().Count(), Is.EqualTo(2), "what this test is about");
        Assert.That(model.Model.Warnings, Has.One.Match("^The student never predicts '[a-z]+' on the 240 training rows checked, although 80 of these rows have it\\. "));
    }

    [Test]
    public void A_student_that_hardly_moved_is_told_to_train_on()
    {
        var student = _context.Fit(Rate(0.0001) with { Seed = 1 }, _view).Model;
        Assert.That(student.Warnings, Has.One.Match(
            "^The student has collapsed: .* Its loss went from \\d\\.\\d{4} to \\d\\.\\d{4} in 6 epochs of 15 steps: train for more epochs, raise the learning rate \\(Optimizer.LearningRate is 0.0001\\)"));
    }

    [TestCase(0.03)]
    [TestCase(0.3)]
    [TestCase(3)]
    public void A_rate_that_learns_is_not_warned_of(double rate)
    {
        var model = _context.Fit(Rate(rate, 40), _view);
        Assert.That(model.AccuracyOn(Rows.Points(), _view), Is.GreaterThan(0.85));
        Assert.That(model.Model.Warnings, Is.Empty);
    }

    [Test]
    public void Nothing_to_learn_from_the_features_is_chance()
    {
        var random = new Random(3);
        var noise = Rows.Points().Select(p => new Point { Label = p.Label, Features = [.. p.Features.Select(_ => random.NextSingle())] });
        var student = _context.Fit(Rate(0.01, 3) with { ValidationFraction = 0.5 }, _context.Keyed(noise)).Model;
        Assert.That(student.Warnings, Has.Some.StartsWith("The student has collapsed: on the 120 held-out rows checked "));
    }

    [Test]
    public void A_rare_class_found_is_no_collapse_whatever_the_accuracy()
    {
        // One row in sixty is cedar; naming birch for all is right on 98 %.
        var rows = Rows.Points(720).Where((p, i) => p.Label == "birch" || (p.Label == "cedar" && i % 20 == 2)).ToArray();
        var model = _context.Fit(Rows.Quick() with { Epochs = 40 }, _context.Keyed(rows));
        Assert.That(model.Model.Warnings, Is.Empty);
    }

    [Test]
    public void A_student_that_follows_its_teacher_against_the_labels_has_not_collapsed()
    {
        var options = Rows.Quick(_context.Saying(_view, RowsTeachers.Rule)) with { MinimumTeacherAccuracy = 0, Method = DistillationMethod.Kd(1, 1), Epochs = 40 };
        var model = _context.Fit(options, _view);
        Assert.That(model.Model.Warnings, Has.None.Contains("collapsed"));
    }

    [Test]
    public void A_clipping_that_leaves_nothing_of_a_gradient_is_named()
    {
        var student = _context.Fit(Rate(0.1) with { GradientClipping = 1e-12 }, _view).Model;
        Assert.That(student.Warnings, Has.One.StartsWith("Stage 'labels only': GradientClipping of 1E-12 scales every gradient down to nothing (the largest was 0."));
        Assert.That(_context.Fit(Rate(0.1) with { GradientClipping = 1 }, _view).Model.Warnings, Has.None.Contains("GradientClipping of"));
    }

    [Test]
    public void A_loss_that_sends_no_gradient_is_named()
    {
        var student = _context.Fit(Rate(0.1) with { Method = DistillationMethod.FromLoss("tiny", 1e-20 * new Losses.CrossEntropyLoss()) }, _view).Model;
        Assert.That(student.Warnings, Has.One.StartsWith("Stage 'tiny': every gradient of the first epoch is practically zero (the largest was "));
    }
}
