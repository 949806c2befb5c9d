using MlNetDistill.Evaluation;

namespace MlNetDistill.Tests.Evaluation.Report;

/// <summary>
/// Metrics of drawn rows: labels, what a teacher names and what a student names. What is counted is counted; divergences are made up of the disagreement.
/// </summary>
internal static class ReportRows
{
    /// <param name="classes">Names of the classes.</param>
    /// <param name="rows">Rows to draw.</param>
    /// <param name="seed">Of the draw.</param>
    /// <param name="copies">Share of the rows on which the student does as its teacher.</param>
    /// <param name="labels">Whether rows have labels.</param>
    /// <param name="intervals">Whether figures have intervals.</param>
    public static DistillationMetrics Drawn(IReadOnlyList<string> classes, int rows, int seed, double copies = 0.94, bool labels = true, bool intervals = true)
    {
        var random = new Random(seed);
        var k = classes.Count;
        List<(int Label, int Teacher, int Student)> drawn = [];
        for (var row = 0; row < rows; row++)
        {
            var label = random.Next(k);
            var teacher = random.NextDouble() < 0.97 - (0.06 * (label % 5) / 5) ? label : Beside(label, k, random);
            // A student that does not copy is right where its teacher is wrong at times, or it would only ever lose.
            drawn.Add((label, teacher, random.NextDouble() < copies ? teacher : random.NextDouble() < 0.4 ? label : Beside(label, k, random)));
        }

        var differs = 1 - (drawn.Count(row => row.Teacher == row.Student) / (double)rows);
        List<ClassFidelity> perClass = [.. classes.Select((name, at) => Class(name, at, drawn, labels))];
        return new DistillationMetrics
        {
            Rows = rows,
            LabelledRows = labels ? rows : 0,
            Classes = classes,
            Teacher = labels ? Quality(drawn, row => row.Teacher == row.Label, intervals, sure: 0.01) : null,
            Student = labels ? Quality(drawn, row => row.Student == row.Label, intervals, sure: 0.04) : null,
            Agreement = Share(drawn, row => row.Teacher == row.Student, intervals)!.Value,
            AgreementWhereTeacherIsCorrect = labels ? Share(drawn.Where(row => row.Teacher == row.Label), row => row.Teacher == row.Student, intervals) : null,
            AgreementWhereTeacherIsWrong = labels ? Share(drawn.Where(row => row.Teacher != row.Label), row => row.Teacher == row.Student, intervals) : null,
            Divergence = Around(1.9 * differs, intervals),
            ReverseDivergence = Around(2.3 * differs, intervals),
            JensenShannonDivergence = Around(0.4 * differs, intervals),
            SquaredDifference = Around(0.5 * differs / k, intervals),
            RankCorrelation = Around(0.9 - differs, intervals),
            TopKOverlap = [.. new[] { 2, 3, 5 }.Where(top => top < k).Select(top => new TopKOverlap(top, Around(0.94 - differs, intervals)))],
            Matrix = Matrix(drawn, k),
            PerClass = perClass,
            WorstRegressions = labels ? [.. perClass.Where(known => known.AccuracyChange < 0).OrderBy(known => known.AccuracyChange).Take(5)] : [],
        };
    }

    public static AgreementMatrix Matrix(IEnumerable<(int Label, int Teacher, int Student)> rows, int k)
    {
        var counts = new CellCounts();
        foreach (var (_, teacher, student) in rows)
            counts.Add(teacher, student);
        return new AgreementMatrix(k, counts);
    }

    private static int Beside(int label, int k, Random random) => (label + 1 + (int)(Math.Pow(random.NextDouble(), 3) * (k - 1))) % k;

    private static ClassFidelity Class(string name, int at, List<(int Label, int Teacher, int Student)> rows, bool labels)
    {
        var labelled = rows.Where(row => labels && row.Label == at).ToList();
        return new ClassFidelity
        {
            Class = name,
            Rows = labelled.Count,
            TeacherCorrect = labelled.Count(row => row.Teacher == at),
            StudentCorrect = labelled.Count(row => row.Student == at),
            Lost = labelled.Count(row => row.Teacher == at && row.Student != at),
            Gained = labelled.Count(row => row.Teacher != at && row.Student == at),
            TeacherPredicts = rows.Count(row => row.Teacher == at),
            BothPredict = rows.Count(row => row.Teacher == at && row.Student == at),
        };
    }

    private static ModelQuality Quality(
        List<(int Label, int Teacher, int Student)> rows, Func<(int Label, int Teacher, int Student), bool> right, bool intervals, double sure)
    {
        var accuracy = Share(rows, right, intervals)!.Value;
        return new ModelQuality
        {
            Accuracy = accuracy,
            LogLoss = Around(3.1 * (1 - accuracy), intervals),
            Brier = Around(1.5 * (1 - accuracy), intervals),
            CalibrationError = Around(sure, intervals),
            MeanConfidence = Math.Min(1, accuracy + sure),
            Reliability = [.. Enumerable.Range(0, 15).Select(bin => Bin(bin, rows.Count, sure))],
        };
    }

    private static ReliabilityBin Bin(int bin, int rows, double sure)
    {
        var (lower, upper) = (bin / 15.0, (bin + 1) / 15.0);
        var middle = (lower + upper) / 2;
        var inBin = (long)(rows * Math.Pow(middle, 9) * 0.6) + 1;
        return bin < 4 ? new(lower, upper, 0, null, null) : new(lower, upper, inBin, Math.Max(0, middle - (sure * (1 + (bin % 3)))), middle);
    }

    private static Estimate? Share<T>(IEnumerable<T> rows, Func<T, bool> chosen, bool intervals)
    {
        var all = rows.ToList();
        if (all.Count == 0)
            return null;
        var share = all.Count(chosen) / (double)all.Count;
        var wide = 1.96 * Math.Sqrt(share * (1 - share) / all.Count);
        return intervals ? new(share, Math.Max(0, share - wide), Math.Min(1, share + wide)) : new(share);
    }

    private static Estimate Around(double value, bool intervals) => intervals ? new(value, 0.93 * value, 1.06 * value) : new(value);
}
