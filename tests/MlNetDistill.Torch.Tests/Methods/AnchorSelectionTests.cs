using System.Text.Json;
using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;

namespace MlNetDistill.Tests;

/// <summary>
/// Which anchors a student visits. Greedy search is driven by injected divergences. Of rco.json's greedy records only the two hand-checkable ones
/// carry their divergences; the 43 others name a matrix that the file does not hold, so of them only what holds for any matrix can be checked.
/// </summary>
public sealed class AnchorSelectionTests
{
    public static IEnumerable<TestCaseData> EqualIntervals() => Golden.Records("rco.json").Where(r => Name(r) == "eei")
        .Select(r => new TestCaseData(r).SetArgDisplayNames($"every {Parameter(r, "interval")} of {Parameter(r, "teacher_epochs")}"));

    public static IEnumerable<TestCaseData> ByHand() => Golden.Records("rco.json").Where(r => Name(r) == "greedy_hand")
        .Select(r => new TestCaseData(r).SetArgDisplayNames(r.GetProperty("params").GetProperty("rule").GetString()!));

    [TestCaseSource(nameof(EqualIntervals))]
    public void Equal_intervals_equal_the_reference(JsonElement record)
    {
        var context = Context([.. Enumerable.Range(1, Parameter(record, "teacher_epochs"))]);
        var chosen = AnchorSelection.EqualInterval(Parameter(record, "interval")).Choose(context);
        Assert.That(chosen.Select(i => (long)context.Anchors[i].Epoch), Is.EqualTo(Golden.Integers(record.GetProperty("expected"))));
    }

    [TestCaseSource(nameof(ByHand))]
    public void Greedy_search_equals_the_reference_on_injected_divergences(JsonElement record)
    {
        var rule = record.GetProperty("params").GetProperty("rule").GetString() == "first_above" ? GreedyRule.FirstAbove : GreedyRule.LastWithin;
        double[][] divergences = [.. record.GetProperty("H").EnumerateArray().Select(Golden.Numbers)];
        var delta = record.GetProperty("params").GetProperty("delta").GetDouble();
        Assert.That(
            Visit(AnchorSelection.Greedy(delta, rule), (student, anchor) => divergences[student][anchor], 4),
            Is.EqualTo(Golden.Integers(record.GetProperty("expected"))));
    }

    [Test]
    public void The_reference_file_holds_the_records_counted_on()
    {
        var names = Golden.Records("rco.json").Select(Name).ToLookup(n => n);
        Assert.That((names["eei"].Count(), names["greedy_hand"].Count(), names["greedy"].Count()), Is.EqualTo((6, 2, 43)));
        Assert.That(Golden.Records("rco.json").Where(r => Name(r) == "greedy").Any(r => r.TryGetProperty("H", out _)), Is.False);
    }

    [Test]
    public void Every_expected_greedy_route_starts_at_the_first_anchor_rises_and_ends_at_the_last()
    {
        foreach (var record in Golden.Records("rco.json").Where(r => Name(r) == "greedy"))
        {
            var name = record.GetProperty("case").GetString()!;
            var last = int.Parse(name[1..name.IndexOf('_', StringComparison.Ordinal)]) - 1;
            var rule = record.GetProperty("params").GetProperty("rule").GetString() == "first_above" ? GreedyRule.FirstAbove : GreedyRule.LastWithin;
            // Any divergences keep these: that the expected routes do is what makes them comparable at all.
            var expected = Golden.Integers(record.GetProperty("expected"));
            var found = Visit(AnchorSelection.Greedy(2, rule), (student, anchor) => 0.1 * (1 + Math.Abs(anchor - student)), last + 1);
            foreach (var route in new[] { expected, found })
            {
                Assert.That((route[0], route[^1]), Is.EqualTo((0L, (long)last)), name);
                Assert.That(route, Is.Ordered.Ascending.And.Unique, name);
            }
        }
    }

    // H(j) = 2^(j-i) / 10: ratios to H(i) double from anchor to anchor.
    [TestCase(3, GreedyRule.FirstAbove, GreedyDenominator.Current, new long[] { 0, 2, 4, 6, 7 })]
    [TestCase(3, GreedyRule.FirstAbove, GreedyDenominator.Next, new long[] { 0, 3, 6, 7 })]
    [TestCase(3, GreedyRule.LastWithin, GreedyDenominator.Current, new long[] { 0, 1, 2, 3, 4, 5, 6, 7 })]
    [TestCase(3, GreedyRule.LastWithin, GreedyDenominator.Next, new long[] { 0, 2, 4, 6, 7 })]
    [TestCase(1000, GreedyRule.FirstAbove, GreedyDenominator.Current, new long[] { 0, 7 })]
    [TestCase(1000, GreedyRule.LastWithin, GreedyDenominator.Next, new long[] { 0, 7 })]
    public void Rule_and_denominator_mean_what_they_say(double delta, GreedyRule rule, GreedyDenominator denominator, long[] expected) => Assert.That(
        Visit(AnchorSelection.Greedy(delta, rule, denominator), (student, anchor) => Math.Pow(2, anchor - student) / 10, 8),
        Is.EqualTo(expected));

    [Test]
    public void A_greedy_choice_is_noted_with_its_ratios()
    {
        var notes = new List<string>();
        Visit(AnchorSelection.Greedy(3), (student, anchor) => Math.Pow(2, anchor - student) / 10, 4, notes);
        Assert.That(notes[0], Is.EqualTo(
            "Greedy anchor selection after anchor 1: divergence ratios anchor 2 2, anchor 3 4 (delta 3); next is anchor 3."));
    }

    [Test]
    public void A_list_of_epochs_is_followed_to_the_last_anchor()
    {
        var context = Context(10, 20, 30, 40);
        Assert.That(AnchorSelection.Epochs(10, 30).Choose(context), Is.EqualTo(new[] { 0, 2, 3 }));
        Assert.That(AnchorSelection.Epochs(40).Choose(context), Is.EqualTo(new[] { 3 }));
        Assert.That(AnchorSelection.All().Choose(context), Is.EqualTo(new[] { 0, 1, 2, 3 }));
        Assert.That(
            () => AnchorSelection.Epochs(10, 15).Choose(context).ToList(),
            Throws.InvalidOperationException.With.Message.EqualTo("The route has no anchor for epoch 15; it has epochs 10, 20, 30, 40."));
    }

    [Test]
    public void An_interval_that_meets_no_anchor_but_the_last_is_said()
    {
        var notes = new List<string>();
        Assert.That(AnchorSelection.EqualInterval(4).Choose(Context(3, 6, 9, 10) with { Note = notes.Add }), Is.EqualTo(new[] { 3 }));
        Assert.That(notes, Is.EqualTo(new[]
        {
            "Of the route's epochs 3, 6, 9, 10 only the last is used, because no other is a multiple of 4. " +
            "Choose a multiple of the epochs between checkpoints, or AnchorSelection.Epochs.",
        }));
    }

    [Test]
    public void A_setting_out_of_range_is_a_fault()
    {
        Assert.That(AnchorSelection.EqualInterval(0).Validate(), Is.EqualTo(new[] { "The interval of anchors must be at least 1; was 0." }));
        Assert.That(AnchorSelection.Greedy(1).Validate(), Is.EqualTo(new[] { "The delta of greedy anchor selection must be above 1; was 1." }));
        Assert.That(AnchorSelection.Epochs(3, 3).Validate(), Is.EqualTo(new[] { "The epochs of anchors must be at least 1 and in increasing order; were [3, 3]." }));
        Assert.That(AnchorSelection.Epochs().Validate(), Is.Not.Empty);
        Assert.That(AnchorSelection.Greedy(1.5).Validate().Concat(AnchorSelection.All().Validate()), Is.Empty);
    }

    /// <summary>Follows a selection, the student standing where it was trained last: H(student, anchor) is its divergence.</summary>
    private static long[] Visit(AnchorSelection selection, Func<int, int, double> divergence, int anchors, List<string>? notes = null)
    {
        var at = 0;
        var route = Context([.. Enumerable.Range(1, anchors)]);
        var context = route with
        {
            HeldOutDivergence = teacher => divergence(at, route.Anchors.ToList().FindIndex(a => ReferenceEquals(a.Teacher, teacher))),
            Note = note => notes?.Add(note),
        };
        var visited = new List<long>();
        foreach (var anchor in selection.Choose(context))
        {
            at = anchor;
            visited.Add(anchor);
        }

        return [.. visited];
    }

    private static MethodContext Context(params int[] epochs) => new(
        [.. epochs.Select(e => new Anchor($"anchor {e}", e, new PlannedTeacher(3)))],
        new OutputShapes(3, 8, []),
        new ShuffledSampler(8),
        12,
        Optimizer.Sgd(0.05),
        LearningRateSchedule.Cosine());

    private static string Name(JsonElement record) => record.GetProperty("name").GetString()!;

    private static int Parameter(JsonElement record, string name) => record.GetProperty("params").GetProperty(name).GetInt32();
}
