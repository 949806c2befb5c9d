using FidelityStudy.Data;
using FidelityStudy.Training;
using Microsoft.ML.Data;
using MlNetDistill;
using MlNetDistill.Data;
using static System.FormattableString;

namespace FidelityStudy;

/// <summary>The questions, those of Stanton et al. 2021, and the trials that answer them, with our settings.</summary>
internal static class Questions
{
    /// <summary>The trial that all others are compared with: a small student that learns from its teacher alone, on all rows, unchanged.</summary>
    public const string Baseline = "KD";

    /// <summary>The same student without a teacher.</summary>
    public const string LabelsAlone = "labels alone";

    /// <summary>The same at temperature 1.</summary>
    private const string Sharp = "T = 1";

    /// <summary>A student with its teacher's network.</summary>
    public const string SelfDistilled = "fresh weights";

    public static IReadOnlyList<Trial> All =>
    [
        new("Does the student learn from its teacher?", LabelsAlone, r => Usual(r) with { Teacher = null }),
        new("Does the student learn from its teacher?", Baseline, Usual),
        .. new[] { 1.0, 2 }.Select(t => new Trial("Does a higher temperature help? (KD has T = 4)", Invariant($"T = {t}"), r => Usual(r) with { Temperature = t })),
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

    private static TrainingSetup Usual(Repetition r) => By(r, r.Main);

    private static TrainingSetup By(Repetition r, ScoredTeacher teacher) => new()
    {
        Student = r.Plan.Student,
        Teacher = teacher.Teacher,
        Compared = teacher,
        Rows = r.Rows.Train,
        Epochs = r.Plan.Epochs,
    };

    /// <summary>The same setup with some of its rows and the same number of steps.</summary>
    private static TrainingSetup Over(StudyRow[] rows, Repetition r, TrainingSetup setup) => setup with
    {
        Rows = rows,
        Epochs = r.Plan.EpochsOver(rows.Length, r.Rows.Train.Length, r.Plan.Epochs),
    };

    /// <summary>
    /// A student of its teacher's specification has enough capacity to equal it. If it still differs, capacity is not the cause; if it equals the teacher when it starts near
    /// the teacher's weights, optimisation is.
    /// </summary>
    private static IEnumerable<Trial> Capacity()
    {
        const string Question = "Is the student too small? (its teacher's network, with)";
        yield return new Trial(Question, SelfDistilled, r => Usual(r) with { Student = r.Plan.Teacher });
        foreach (var share in new[] { 0.5, 0.1, 0 })
        {
            yield return new Trial(Question, Invariant($"{100 * (1 - share):0} % of the teacher's"), r => Usual(r) with
            {
                Student = r.Plan.Teacher,
                InitialWeights = InitialWeights.From(r.MainNetwork, share),
                // As in the paper's code: a student that starts near the teacher has a smaller learning rate.
                LearningRate = 0.005 * Math.Max(share, 0.01),
            });
        }
    }

    /// <summary>
    /// Students of a teacher whose answers have noise, compared with the teacher without noise. All at T = 1: T = 4 does not soften an answer that is a single class, so
    /// the student's logits would be four times too large.
    /// </summary>
    private static IEnumerable<Trial> TeacherNoise()
    {
        const string Question = "Does noise in the teacher's answers matter? (T = 1, instead of them)";
        yield return new Trial(Question, "only its class", r => Spoilt(r, (scores, _) => OneHot(scores.Length, Array.IndexOf(scores, scores.Max()))), Sharp);
        yield return new Trial(Question, "a class drawn from them", r => Spoilt(r, (scores, random) =>
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

    private static TrainingSetup Spoilt(Repetition r, Func<float[], Random, float[]> spoil)
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
