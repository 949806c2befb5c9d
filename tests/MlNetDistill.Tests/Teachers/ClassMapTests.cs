using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Methods;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Teachers;

/// <summary>A teacher with other classes than the student is mapped explicitly or refused.</summary>
public sealed class ClassMapTests
{
    private static readonly string[] Five = ["fir", "red cedar", "ash", "white cedar", "birch"];
    private readonly MLContext _context = Rows.Context();
    private readonly IDataView _view;

    public ClassMapTests() => _view = _context.Keyed(Rows.Points());

    [Test]
    public void Classes_that_go_to_one_are_added_and_others_left_out()
    {
        static float[] OfFive(float[] f) => f[0] > 0.3f ? [0.1f, 0.05f, 0.7f, 0.1f, 0.05f] : [0.2f, 0.3f, 0.1f, 0.3f, 0.1f];
        // ash, birch, cedar by hand: cedar is both cedars, fir goes, the rest is scaled to sum to 1.
        static float[] OfThree(float[] f)
        {
            var five = OfFive(f).Select(p => p / (1 - OfFive(f)[0])).ToArray();
            return [five[2], five[4], five[1] + five[3]];
        }

        var map = new ClassMap { Names = new Dictionary<string, string> { ["red cedar"] = "cedar", ["white cedar"] = "cedar" }, DropOthers = true };
        var mapped = Fit(Teacher.FromTransformer(Says(OfFive), classNames: Five, classMap: map));
        var byHand = Fit(_context.Saying(_view, OfThree));
        Assert.That(mapped.SelectMany(s => s), Is.EqualTo(byHand.SelectMany(s => s)).Within(2e-3));
    }

    [Test]
    public void Logits_of_several_classes_are_added_as_probabilities()
    {
        static float[] Logits(float[] f) => f[0] > 0.3f ? [-1, 0, 3, 0.5f, 0] : [0, 1, 0, 2, -1];
        static float[] Added(float[] f)
        {
            var z = Logits(f);
            return [z[2], z[4], (float)Math.Log(Math.Exp(z[1]) + Math.Exp(z[3]) + Math.Exp(z[0]))];
        }

        var map = new ClassMap { Names = new Dictionary<string, string> { ["red cedar"] = "cedar", ["white cedar"] = "cedar", ["fir"] = "cedar" } };
        var mapped = Fit(Teacher.FromTransformer(Says(Logits), scoreKind: ScoreKind.Logits, classNames: Five, classMap: map));
        Assert.That(mapped.SelectMany(s => s), Is.EqualTo(Fit(_context.Saying(_view, Added, ScoreKind.Logits)).SelectMany(s => s)).Within(2e-3));
    }

    [Test]
    public void A_teacher_of_more_classes_is_refused_with_both_lists() => Refuses(null,
        "the student lacks 'fir'. The teacher's 4 classes are 'ash', 'birch', 'cedar', 'fir'; the student's 3 are 'ash', 'birch', 'cedar'. Fit both");

    [Test]
    public void A_name_in_the_map_that_the_teacher_lacks_is_a_slip() => Refuses(
        new ClassMap { Names = new Dictionary<string, string> { ["spruce"] = "ash" }, DropOthers = true }, "the ClassMap names 'spruce', which the teacher lacks.");

    [Test]
    public void A_class_of_the_student_that_nothing_maps_to_is_refused() => Refuses(
        new ClassMap { Names = new Dictionary<string, string> { ["ash"] = "birch" }, DropOthers = true }, "the teacher lacks 'ash'.");

    [Test]
    public void Classes_that_are_left_out_may_share_a_name_or_have_none()
    {
        static float[] Scores(float[] f) => f[0] > 0.3f ? [0.2f, 0.4f, 0.1f, 0.1f, 0.2f] : [0.1f, 0.2f, 0.3f, 0.3f, 0.1f];
        static float[] OfThree(float[] f) => [.. Scores(f)[1..4].Select(p => p / Scores(f)[1..4].Sum())];
        var byHand = Fit(_context.Saying(_view, OfThree));
        foreach (var other in (string[])["other", ""])
        {
            var teacher = Teacher.FromTransformer(Says(Scores), classNames: [other, "ash", "birch", "cedar", other], classMap: new ClassMap { DropOthers = true });
            Assert.That(Fit(teacher).SelectMany(s => s), Is.EqualTo(byHand.SelectMany(s => s)).Within(2e-3), $"called '{other}'");
        }
    }

    [Test]
    public void A_class_that_is_kept_must_have_one_name() => Assert.That(
        () => Fit(Teacher.FromTransformer(Says4(), classNames: ["ash", "birch", "cedar", "ash"], classMap: new ClassMap { DropOthers = true })),
        Throws.InvalidOperationException.With.Message.Contains("the teacher names 'ash' more than once."));

    private void Refuses(ClassMap? map, string message) => Assert.That(
        () => Fit(Teacher.FromTransformer(Says4(), classNames: ["ash", "birch", "cedar", "fir"], classMap: map)), Throws.InvalidOperationException.With.Message.Contains(message));

    private float[][] Fit(Teacher teacher) => _context.Fit(
        Rows.Quick(teacher) with { Method = DistillationMethod.Kd(alpha: 1), MinimumTeacherAccuracy = 0 }, _view).Scores(_view);

    private ITransformer Says(Func<float[], float[]> score) =>
        _context.Transforms.CustomMapping<Seen, OfFiveScores>((row, answer) => answer.Score = score(row.Features), null).Fit(_view);

    private ITransformer Says4() =>
        _context.Transforms.CustomMapping<Seen, OfFourScores>((_, answer) => answer.Score = [0.4f, 0.3f, 0.2f, 0.1f], null).Fit(_view);

    private sealed class Seen
    {
        [VectorType(4)]
        public float[] Features { get; set; } = [];
    }

    private sealed class OfFiveScores
    {
        [VectorType(5)]
        public float[] Score { get; set; } = [];
    }

    private sealed class OfFourScores
    {
        [VectorType(4)]
        public float[] Score { get; set; } = [];
    }
}
