using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Training;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>A bilevel stage that goes back to its last good epoch where numbers are not finite.</summary>
public sealed class BilevelRecoveryTests
{
    // 96 rows, 24 of them the quiz, in batches of 16.
    private const int BatchesPerEpoch = 5;

    // In a round the student's loss is evaluated for the pilot, for the gradient through it, and for the step. A fault of the labels' loss in the second does not matter: what the
    // teacher learns is how that gradient changes with its logits.
    private const int EvaluationsPerRound = 3;

    /// <param name="where">The loss with the fault.</param>
    /// <param name="fault">The fault.</param>
    /// <param name="evaluation">Which evaluation of that loss in the third round of the second epoch.</param>
    /// <param name="clipping">The largest norm of gradients.</param>
    [TestCase(Place.Quiz, Fault.Loss, 1, null)]
    [TestCase(Place.Quiz, Fault.Gradient, 1, null)]
    [TestCase(Place.Quiz, Fault.Gradient, 1, 1e6)]
    [TestCase(Place.Quiz, Fault.HugeGradient, 1, 1.0)]
    [TestCase(Place.Student, Fault.Loss, 1, null)]
    [TestCase(Place.Student, Fault.Loss, 3, null)]
    [TestCase(Place.Student, Fault.Gradient, 3, null)]
    [TestCase(Place.Student, Fault.Gradient, 3, 1e6)]
    public void Going_back_is_training_of_student_and_teacher_whose_rates_drop_after_the_last_good_epoch(object where, object fault, int evaluation, double? clipping)
    {
        var perRound = (Place)where == Place.Quiz ? 1 : EvaluationsPerRound;
        var faultAt = ((BatchesPerEpoch + 2) * perRound) + evaluation;
        foreach (var (defers, optimizer) in new[] { (false, Optimizer.Sgd(0.05, 0.9, false)), (true, Optimizer.Sgd(0.05, 0.9, false)), (false, Optimizer.AdamW(0.01)) })
        {
            var settings = new LoopSettings { GradientClipping = clipping, DefersChecks = defers };
            var back = Train((Place)where, (Fault)fault, faultAt, settings with { OnNonFinite = NonFiniteHandling.GoBack(1, 0.1) }, stage => With(stage, optimizer));
            var drops = Train(null, default, 0, settings, stage => With(stage, optimizer, LearningRateSchedule.Step([1], 0.1)));
            AssertSame(back, drops);
            Assert.That(back.Copies, Is.Unique, "the teacher trains in every epoch");
            Assert.That(back.Reports.Select(r => r.TimesGoneBack), Is.EqualTo(new[] { 0, 1, 1, 1 }));
            Assert.That(back.Warnings, Has.Count.EqualTo(1));
            Assert.That(back.Warnings[0], Does.StartWith("Stage 'stage' goes back to the end of epoch 1 and on with 0.1 of its learning rates (time 1 of 1): ").And.Contain("in epoch 2 of stage 'stage'"));
        }
    }

    [Test]
    public void The_rate_of_a_teacher_with_its_own_schedule_drops_with_that_of_the_student()
    {
        static BilevelStage Own(BilevelStage stage, LearningRateSchedule schedule) => stage with { TeacherSchedule = schedule };
        var back = Train(Place.Quiz, Fault.Loss, BatchesPerEpoch + 1, GoesBack, stage => Own(stage, LearningRateSchedule.Constant()));
        var drops = Train(null, default, 0, new(), stage => Own(With(stage, null, LearningRateSchedule.Step([1], 0.1)), LearningRateSchedule.Step([1], 0.1)));
        AssertSame(back, drops);
    }

    [Test]
    public void Rounds_of_several_batches_go_back_too()
    {
        // Rounds of two, two and one batches.
        var back = Train(Place.Quiz, Fault.Loss, 3 + 2, GoesBack, stage => stage with { BatchesPerRound = 2, QuizBatches = 2 });
        var drops = Train(null, default, 0, new(), stage => With(stage, null, LearningRateSchedule.Step([1], 0.1)) with { BatchesPerRound = 2, QuizBatches = 2 });
        AssertSame(back, drops);
    }

    [Test]
    public void The_first_epoch_with_rounds_goes_back_to_the_end_of_those_before_it()
    {
        var back = Train(Place.Quiz, Fault.Loss, 4, GoesBack, stage => stage with { FixedTeacherEpochs = 2 });
        var drops = Train(null, default, 0, new(), stage => With(stage, null, LearningRateSchedule.Step([2], 0.1)) with { FixedTeacherEpochs = 2 });
        AssertSame(back, drops);
        Assert.That(back.Reports.Select(r => (r.TimesGoneBack, r.Losses.ContainsKey("quiz"))), Is.EqualTo(new[] { (0, false), (0, false), (1, true), (1, true) }));
    }

    [Test]
    public void Going_back_from_the_first_epoch_begins_the_stage_again_with_the_first_teacher()
    {
        var back = Train(Place.Quiz, Fault.Loss, 4, new LoopSettings { OnNonFinite = NonFiniteHandling.GoBack(1, 0.5) });
        var lower = Train(null, default, 0, new(), stage => stage with
        {
            Student = stage.Student with { Optimizer = Optimizer.Sgd(0.025) },
            TeacherOptimizer = Optimizer.Sgd(0.025, 0.9, false),
            PilotLearningRate = 0.025,
        });
        Assert.That(back.State, Is.EqualTo(lower.State));
        Assert.That(back.Copies, Is.EqualTo(lower.Copies));
    }

    [Test]
    public void Going_back_is_bounded_and_stops_where_the_quiz_stays_bad() =>
        Assert.That(
            () => Train(Place.Quiz, Fault.Loss, null, new LoopSettings { OnNonFinite = NonFiniteHandling.GoBack(2) }),
            Throws.TypeOf<NonFiniteLossException>().With.Message.Contains("'quiz'").And.Message.Contains("Before, the stage went back 2 times for this reason. "));

    private static LoopSettings GoesBack => new() { OnNonFinite = NonFiniteHandling.GoBack(1, 0.1) };

    private static BilevelStage With(BilevelStage stage, Optimizer? optimizer, LearningRateSchedule? schedule = null) => stage with
    {
        Student = stage.Student with { Optimizer = optimizer ?? stage.Student.Optimizer, Schedule = schedule ?? stage.Student.Schedule },
        TeacherOptimizer = optimizer ?? stage.TeacherOptimizer,
    };

    private static void AssertSame(Outcome back, Outcome drops)
    {
        Assert.That(back.State, Is.EqualTo(drops.State));
        Assert.That(back.Copies, Is.EqualTo(drops.Copies), "the copy of the teacher after each epoch");
        Assert.That(
            back.Reports.SelectMany(r => r.Losses.Select(loss => (r.Epoch, r.LearningRate, loss.Key, loss.Value))),
            Is.EqualTo(drops.Reports.SelectMany(r => r.Losses.Select(loss => (r.Epoch, r.LearningRate, loss.Key, loss.Value)))));
    }

    /// <summary>Trains a student for four epochs.</summary>
    /// <param name="where">The loss with a fault; null for none.</param>
    /// <param name="fault">The fault.</param>
    /// <param name="faultAt">The evaluation of that loss, from 1, that has it; null for all.</param>
    /// <param name="settings">Settings.</param>
    /// <param name="change">Changes the stage.</param>
    private static Outcome Train(Place? where, Fault fault, int? faultAt, LoopSettings settings, Func<BilevelStage, BilevelStage>? change = null)
    {
        using var set = Toy.Clouds(rows: 96, noise: 1);
        using var teaching = new Teaching(NetworkSpec.Mlp(12), set);
        using var student = Runs.Student(NetworkSpec.Mlp(8), set);
        FaultyLabels Labels(Place of) => new(of == where ? evaluation => evaluation == (faultAt ?? evaluation) ? fault : null : _ => null);
        var stage = new BilevelStage(
            Runs.Stage(4, (0.5 * Labels(Place.Student)) + (0.5 * new KdLoss(2)), teaching.Teacher), Optimizer.Sgd(0.05, 0.9, false), 0.05)
        {
            QuizShare = 0.25,
            QuizLoss = Labels(Place.Quiz),
        };
        using var all = DataSplit.All(set);
        TrainingState? state = null;
        var outcome = new Outcome([], [], [], []);
        using var loop = new TrainingLoop(student, new MulticlassTask(student.LogitCount), set, all, new Seeds(1), "student", settings with
        {
            Warn = outcome.Warnings.Add,
            Report = progress =>
            {
                outcome.Reports.Add(progress);
                outcome.Copies.Add(string.Join(' ', Runs.State(state!.Stage!.TeacherCopy!.Network).Select(value => value.ToString("R", null))));
            },
        });
        state = loop.State;
        loop.Run([change?.Invoke(stage) ?? stage]);
        outcome.State.AddRange(Runs.State(student));
        return outcome;
    }

    internal enum Place
    {
        Student,
        Quiz,
    }

    private sealed record Outcome(List<double> State, List<string> Copies, List<TrainingProgress> Reports, List<string> Warnings);

    private sealed class FaultyLabels(Func<int, Fault?> faultAt) : DistillationLoss
    {
        private int _evaluations;

        public override string Name => "labels";

        public override ModelOutputs TeacherNeeds => ModelOutputs.None;

        public override Tensor Evaluate(LossInputs inputs)
        {
            var logits = inputs.Student.Logits;
            var loss = nn.functional.cross_entropy(logits, inputs.Labels);
            return faultAt(++_evaluations) switch
            {
                Fault.Loss => loss.MultiplyBy(double.NaN),
                // The root of 0 has an infinite slope.
                Fault.Gradient => loss.Add(logits.MultiplyBy(0).sum().sqrt()),
                Fault.HugeGradient => loss.MultiplyBy(1e25),
                _ => loss,
            };
        }
    }
}
