using Microsoft.ML;
using MlNetDistill.Methods;
using MlNetDistill.Tests.Support;
using MlNetDistill.Training;

namespace MlNetDistill.Tests.Training;

public sealed class NonFiniteLossTests
{
    private static readonly DistillationOptions Exploding = Rows.Quick() with
    {
        Optimizer = Optimizer.Sgd(1e30),
        Schedule = LearningRateSchedule.Constant(),
        Epochs = 4,
        BatchSize = 240,
    };

    private readonly MLContext _context = Rows.Context();

    [Test]
    public void A_loss_that_turns_NaN_names_term_epoch_and_what_to_try() => Assert.That(
        () => _context.Fit(Exploding, _context.Keyed(Rows.Points())),
        Throws.TypeOf<NonFiniteLossException>()
            .With.Property(nameof(NonFiniteLossException.Term)).EqualTo("crossEntropy")
            .And.Property(nameof(NonFiniteLossException.Epoch)).EqualTo(2)
            .And.Property(nameof(NonFiniteLossException.Stage)).EqualTo("labels only")
            .And.Property(nameof(NonFiniteLossException.Batch)).EqualTo(1)
            .And.Property(nameof(NonFiniteLossException.RowCount)).EqualTo(240)
            .And.Message.Matches(
                @"^The loss term 'crossEntropy' became NaN or infinite in epoch 2 of stage 'labels only' \(learning rate 1E\+30\)\. " +
                @"It was batch 1 of the epoch, 240 rows with the ids (\d+, ){9}\d+ and 230 more\. " +
                "Usual causes are a learning rate that is too high and features of very different scales: lower Optimizer.LearningRate, set " +
                "GradientClipping \\(1 is a usual value\\), use LearningRateSchedule.OneCycle or a warm-up, or normalise the features " +
                @"\(mlContext.Transforms.NormalizeMeanVariance\)\.$"));

    [Test]
    public void A_student_ruined_by_the_very_last_step_was_blamed_on_its_ONNX_form() => Assert.That(
        () => _context.Fit(Exploding with { Epochs = 1 }, _context.Keyed(Rows.Points())),
        Throws.TypeOf<NonFiniteLossException>().With.Property(nameof(NonFiniteLossException.Epoch)).EqualTo(1));

    [Test]
    public void The_term_is_named_where_the_teacher_is_to_blame()
    {
        var view = _context.Keyed(Rows.Points());
        var teacher = _context.Saying(view, _ => [3e38f, -3e38f, 0], ScoreKind.Logits);
        Assert.That(
            () => _context.Fit(Ruinous(teacher) with { BatchSize = 240 }, view),
            Throws.TypeOf<NonFiniteLossException>().With.Property(nameof(NonFiniteLossException.Term)).EqualTo("kd")
                .And.Property(nameof(NonFiniteLossException.Epoch)).EqualTo(1));
    }

    [Test]
    public void A_term_that_ruins_another_is_named_alone_as_it_is_found_in_its_own_step()
    {
        var view = _context.Keyed(Rows.Points());
        var teacher = _context.Saying(view, _ => [3e38f, -3e38f, 0], ScoreKind.Logits);
        Assert.That(
            () => _context.Fit(Ruinous(teacher), view),
            Throws.TypeOf<NonFiniteLossException>().With.Message.StartsWith(
                "The loss term 'kd' became NaN or infinite in epoch 1 of stage 'KD' (learning rate ").And.Property(nameof(NonFiniteLossException.Batch)).EqualTo(1));
    }

    [Test]
    public void Enormous_example_weights_were_blamed_on_the_learning_rate()
    {
        var rows = Rows.Points();
        foreach (var row in rows)
            row.Weight = 3e38f;
        Assert.That(
            () => _context.Fit(Rows.Quick() with { ExampleWeightColumnName = "Weight" }, _context.Keyed(rows)),
            Throws.TypeOf<NonFiniteLossException>().With.Message.Contains(
                "Example weights reach 3E+38: divide all of them by that, so that they are about 1. Other usual causes are a learning rate"));
    }

    [Test]
    public void An_enormous_weight_decay_was_blamed_on_the_learning_rate()
    {
        var log = new RowsLog(_context);
        var options = Exploding with { Optimizer = Optimizer.Sgd(0.1, weightDecay: 1e30) };
        Assert.That(() => _context.Fit(options, _context.Keyed(Rows.Points())), Throws.TypeOf<NonFiniteLossException>().With.Message.Contains(
            "The optimizer's WeightDecay 1E+30 times its LearningRate 0.1 is 1E+29, so that weights grow from step to step: keep it far below 1."));
        Assert.That(log.Warnings, Has.Some.StartsWith("Stage 'labels only': the optimizer's WeightDecay times its LearningRate is 1E+29"));
    }

    [Test]
    public void An_enormous_weight_of_a_loss_was_blamed_on_the_learning_rate() => Assert.That(
        () => _context.Fit(
            Exploding with { Optimizer = Optimizer.Sgd(0.1), Method = DistillationMethod.FromLoss("heavy", 1e37 * new MlNetDistill.Losses.CrossEntropyLoss()) }, _context.Keyed(Rows.Points())),
        Throws.TypeOf<NonFiniteLossException>().With.Message.Contains("The loss term 'crossEntropy' has the weight 1E+37: weights of about 1 are usual."));

    private static DistillationOptions Ruinous(Teacher teacher) =>
        Rows.Quick(teacher) with { MinimumTeacherAccuracy = 0, Method = DistillationMethod.Kd(temperature: 0.1) };
}
