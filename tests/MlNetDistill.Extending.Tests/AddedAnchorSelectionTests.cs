using MlNetDistill.Extending.Tests.Kinds;
using MlNetDistill.Methods;
using MlNetDistill.Networks;

namespace MlNetDistill.Extending.Tests;

/// <summary>Selections of anchors that an application adds.</summary>
public sealed class AddedAnchorSelectionTests
{
    [Test]
    public void A_selection_decides_which_anchors_the_student_is_trained_on() =>
        Assert.That(Stages(new GivenAnchors(0, 2, 3)), Is.EqualTo(new[] { "KD, epoch 1", "KD, epoch 3", "KD, epoch 4 (final)" }));

    [Test]
    public void A_selection_of_the_same_anchors_trains_the_same_student() => Assert.That(
        Points.Fit(Rco(new GivenAnchors(1, 3))).Scores(), Is.EqualTo(Points.Fit(Rco(AnchorSelection.EqualInterval(2))).Scores()));

    [Test]
    public void A_selection_may_depend_on_the_student()
    {
        Assert.That(Stages(new SkipNear(0)), Has.Length.EqualTo(4));
        Assert.That(Stages(new SkipNear(1e6)), Is.EqualTo(new[] { "KD, epoch 4 (final)" }));
    }

    [Test]
    public void A_selection_that_depends_on_the_student_needs_held_out_rows_and_stages() => Assert.Multiple(() =>
    {
        Assert.That(() => Points.Fit(Rco(new SkipNear(0)) with { ValidationFraction = 0 }), Throws.Exception.With.Message.Contains("held-out rows"));
        Assert.That(
            () => Points.Fit(Rco(new SkipNear(0), RcoSchedule.OneStage)),
            Throws.Exception.With.Message.Contains("The anchor selection SkipNear (Limit 0) depends on the student").And.Message.Contains("use RcoSchedule.Restart"));
    });

    private static IEnumerable<TestCaseData> WrongAnchors()
    {
        yield return new(new GivenAnchors(), "no anchor") { TestName = "no anchor" };
        yield return new(new GivenAnchors(Indices: null), "null instead of anchors") { TestName = "null" };
        yield return new(new GivenAnchors(0, 4), "the index 4, but the route has the indices 0 to 3") { TestName = "an index that there is not" };
        yield return new(new GivenAnchors(-1, 3), "the index -1") { TestName = "a negative index" };
        yield return new(new GivenAnchors(2, 1, 3), "the index 1 after 2") { TestName = "the order of the route reversed" };
        yield return new(new GivenAnchors(2, 2, 3), "the index 2 after 2") { TestName = "an anchor twice" };
        yield return new(new GivenAnchors(0, 2), "2 as its last index, but the last anchor of the route, epoch 4 (final), has the index 3") { TestName = "without the last anchor" };
    }

    [TestCaseSource(nameof(WrongAnchors))]
    public void Anchors_that_RCO_cannot_train_on_are_named_before_the_teacher_trains(AnchorSelection selection, string found)
    {
        foreach (var schedule in new[] { RcoSchedule.Restart, RcoSchedule.OneStage })
        {
            var epochs = 0;
            var options = Rco(selection, schedule) with { Progress = new Counter(() => epochs++) };
            Assert.That(() => Points.Fit(options), Throws.InvalidOperationException.With.Message.StartsWith($"The anchor selection GivenAnchors").And.Message.Contains($"gave {found}"));
            Assert.That(epochs, Is.Zero);
        }
    }

    private static DistillationOptions Rco(AnchorSelection anchors, RcoSchedule schedule = RcoSchedule.Restart) => Points.Options with
    {
        Teacher = Route.Train(NetworkSpec.Mlp(4), every: 1, epochs: 4),
        Method = DistillationMethod.Rco(anchors: anchors, schedule: schedule),
        ValidationFraction = 0.25,
        // After few epochs it has learnt nothing yet.
        MinimumTeacherAccuracy = 0,
        Epochs = 4,
    };

    private static string[] Stages(AnchorSelection anchors) => [.. Points.Fit(Rco(anchors)).Model.History.Select(epoch => epoch.Stage).Distinct()];

    private sealed class Counter(Action count) : IProgress<Training.TrainingProgress>
    {
        public void Report(Training.TrainingProgress value) => count();
    }
}
