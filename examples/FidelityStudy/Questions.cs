using FidelityStudy.Data;
using FidelityStudy.Training;
using Microsoft.ML.Data;
using MlNetDistill;
using MlNetDistill.Data;
using static System.FormattableString;

namespace FidelityStudy;

/// <summary>What is asked, and what is tried to answer it. The settings are ours; the questions are those of Stanton et al. 2021.</summary>
internal static class Questions
{
    /// <summary>What all others are compared with: a small student, taught by its teacher alone, on all rows as they are.</summary>
    public const string Baseline = "KD";

    /// <summary>The same student without a teacher.</summary>
    public const string LabelsAlone = "labels alone";

    /// <summary>The same with nothing softened.</summary>
    private const string Sharp = "T = 1";

    /// <summary>The student that is its teacher's like.</summary>
    public const string SelfDistilled = "fresh weights";

    public static IReadOnlyList<Trial> All =>
    [
        new("Does anything pass over?", LabelsAlone, r => Usual(r) with { Teacher = null }),
        new("Does anything pass over?", Baseline, Usual),
        .. new[] { 1.0, 2 }.Select(t => new Trial("Does softening help? (KD is at T = 4)", Invariant($"T = {t}"), r => Usual(r) with { Temperature = t })),
        .. Capacity(),
        .. TeacherNoise(),
        .. new[] { 8, 4, 2 }.Select(part => new Trial("Do more rows help?", $"1/{part} of the rows", r =>
            Over(r.Rows.Train[..(r.Rows.Train.Length / part)], r, Usual(r)))),
        .. new[] { 0.2, 1 }.Select(alpha => new Trial("Does mixup help?", Invariant($"mixup, α = {alpha}"), r =>
            Usual(r) with { Augmentations = [Augmentation.Mixup(alpha)] })),
        .. Unlabelled(),
        .. new[] { 3, Repetition.MostTeachers }.Select(members => new Trial("Are several teachers easier to follow?", $"{members} teachers", r =>
            By(r, r.Ensemble(members)))),
    ];

    private static Lesson Usual(Repetition r) => By(r, r.Main);

    private static Lesson By(Repetition r, Instructor instructor) => new()
    {
        Student = r.Plan.Student,
        Teacher = instructor.Teacher,
        Compared = instructor,
        Rows = r.Rows.Train,
        Epochs = r.Plan.Epochs,
    };

    /// <summary>The same lesson from some of its rows, in as many steps.</summary>
    private static Lesson Over(StudyRow[] rows, Repetition r, Lesson lesson) => lesson with
    {
        Rows = rows,
        Epochs = r.Plan.EpochsOver(rows.Length, r.Rows.Train.Length, r.Plan.Epochs),
    };

    /// <summary>A student of its teacher's own specification can be its teacher. If it is not, capacity is not what it lacks; if it is once it starts there,
    /// the search is.</summary>
    private static IEnumerable<Trial> Capacity()
    {
        const string Question = "Is the student too small? (its teacher's own network, with)";
        yield return new Trial(Question, SelfDistilled, r => Usual(r) with { Student = r.Plan.Teacher });
        foreach (var share in new[] { 0.5, 0.1, 0 })
        {
            yield return new Trial(Question, Invariant($"{100 * (1 - share):0} % of the teacher's"), r => Usual(r) with
            {
                Student = r.Plan.Teacher,
                InitialWeights = InitialWeights.From(r.MainNetwork, share),
                // As in the paper's code: what starts near the goal takes smaller steps.
                LearningRate = 0.005 * Math.Max(share, 0.01),
            });
        }
    }

    /// <summary>
    /// Students of a teacher whose answers were spoilt, compared with the teacher as it is. All at T = 1: a class alone is as hard
    /// at T = 4, and a softened student that follows it is four times as sure as it should be.
    /// </summary>
    private static IEnumerable<Trial> TeacherNoise()
    {
        const string Question = "Does noise in the teacher's answers matter? (at T = 1; learnt are)";
        yield return new Trial(Question, "its class alone", r => Spoilt(r, (scores, _) => OneHot(scores.Length, Array.IndexOf(scores, scores.Max()))), Sharp);
        yield return new Trial(Question, "a class drawn of them", r => Spoilt(r, (scores, random) =>
            OneHot(scores.Length, Drawn(scores, random.NextDouble()))), Sharp);
        yield return new Trial(Question, "a tenth at random", r => Spoilt(r, (scores, random) =>
            random.NextDouble() < 0.1 ? OneHot(scores.Length, random.Next(scores.Length)) : scores), Sharp);
    }

    private static IEnumerable<Trial> Unlabelled()
    {
        const string Question = "Do rows without labels help? (teacher: half the rows)";
        const string Labelled = "labelled half";
        yield return new Trial(Question, Labelled, r => Over(r.FirstHalf, r, By(r, r.Half) with { Alpha = 0.9 }), Against: Labelled);
        yield return new Trial(Question, "and the unlabelled", r => By(r, r.Half) with
        {
            Rows = [.. r.FirstHalf, .. r.Rows.Train[r.FirstHalf.Length..].Select(row => new StudyRow { Features = row.Features })],
            MissingLabels = MissingLabels.TeacherOnly,
            Alpha = 0.9,
        }, Against: Labelled);
    }

    private static Lesson Spoilt(Repetition r, Func<float[], Random, float[]> spoil)
    {
        var random = new Random(r.Seed);
        var answers = r.Main.Train.GetColumn<float[]>("TeacherScore");
        return Usual(r) with
        {
            Temperature = 1,
            Teacher = Teacher.FromColumn("TeacherScore", ScoreKind.Probabilities, r.Rows.Classes),
            Rows =
            [
                .. r.Rows.Train.Zip(answers, (row, scores) =>
                    new StudyRow { Label = row.Label, Features = row.Features, TeacherScore = spoil(scores, random) }),
            ],
        };
    }

    private static float[] OneHot(int classes, int one)
    {
        var scores = new float[classes];
        scores[one] = 1;
        return scores;
    }

    private static int Drawn(float[] scores, double at)
    {
        var drawn = 0;
        for (var sum = (double)scores[0]; sum < at && drawn < scores.Length - 1; sum += scores[drawn])
            drawn++;
        return drawn;
    }
}
