using MlNetDistill.Alignment;
using static System.FormattableString;

namespace MlNetDistill.Evaluation;

/// <summary>
/// Compares a student with its teacher row by row, without a data view: in parallel, on several machines, or in production beside the teacher. It keeps only sums and
/// counts, so its memory does not grow with the number of rows:
/// about 400 bytes for each bootstrap replicate, 200 for each class, and 40 for each pair of classes that teacher and student predict for some row.
/// </summary>
/// <remarks>Not thread-safe: use one for each thread, and <see cref="Merge"/> them.</remarks>
/// <example>
/// <code>
/// var evaluator = new DistillationEvaluator(["cat", "dog"]);
/// evaluator.Add(teacherScores, studentScores, label: null, rowId: requestNumber);
/// Console.WriteLine(evaluator.Metrics().Agreement);
/// </code>
/// </example>
public sealed class DistillationEvaluator
{
    private readonly DistillationEvaluationOptions _options;
    private readonly string[] _classes;
    private readonly RowPair _row;
    private readonly double[] _weights;
    private readonly BootstrapWeights _bootstrap;
    private readonly ReplicateSums _sums;
    private readonly ClassCounts _counts;
    private readonly ConfidenceBins _teacherBins;
    private readonly ConfidenceBins _studentBins;
    private ulong _rowsHash;

    /// <summary>Creates an evaluator without rows.</summary>
    /// <param name="classes">Names of the K classes, each once, in the order of the student's scores; at least 2.</param>
    /// <param name="options">
    /// Settings of the comparison; the defaults if null. The teacher's scores are in the order of <paramref name="classes"/> too, unless the options have its class
    /// names.
    /// </param>
    /// <exception cref="ArgumentException">There are fewer than 2 classes, or their names are empty or not unique.</exception>
    /// <exception cref="ArgumentOutOfRangeException">Options are out of their ranges; the message names every one.</exception>
    /// <exception cref="InvalidOperationException">The teacher's classes are not the student's.</exception>
    public DistillationEvaluator(IReadOnlyList<string> classes, DistillationEvaluationOptions? options = null)
        : this(CheckClasses(classes), options ?? new(), AlignByOrder(classes, options ?? new()))
    {
    }

    internal DistillationEvaluator(
        IReadOnlyList<string> classes, DistillationEvaluationOptions options, (AlignedScores Teacher, AlignedScores Student) scores)
    {
        _options = options with { TopK = [.. options.TopK.Distinct().Where(k => k < classes.Count)] };
        _classes = [.. CheckClasses(classes)];
        _row = new RowPair(scores.Teacher, scores.Student, _options.TopK);
        _weights = new double[1 + options.BootstrapReplicates];
        _bootstrap = new BootstrapWeights(options.Seed);
        _sums = new ReplicateSums(RowPair.Statistics(_options.TopK.Count), options.ReliabilityBins, options.BootstrapReplicates);
        _counts = new ClassCounts(_classes);
        _teacherBins = new ConfidenceBins(options.ReliabilityBins);
        _studentBins = new ConfidenceBins(options.ReliabilityBins);
    }

    /// <summary>Number of rows so far.</summary>
    public long Rows { get; private set; }

    /// <summary>Adds a row. If it throws, the row is not counted.</summary>
    /// <param name="teacherScores">The teacher's K scores, or as many as its class names in the options.</param>
    /// <param name="studentScores">The student's K scores.</param>
    /// <param name="label">The true class, 0 to K − 1; null for a row without a label.</param>
    /// <param name="rowId">The row's unique id. The bootstrap weights depend on it, so the same row must have the same id wherever it is added.</param>
    /// <exception cref="ArgumentException">The number of scores is wrong.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The label is not one of the classes.</exception>
    /// <exception cref="InvalidOperationException">A score is NaN, infinite or not of the kind in the options.</exception>
    public void Add(ReadOnlySpan<float> teacherScores, ReadOnlySpan<float> studentScores, int? label, UInt128 rowId)
    {
        if (label is < 0 || label >= _classes.Length)
        {
            throw new ArgumentOutOfRangeException(
                nameof(label),
                Invariant($"The label of row {Rows} (counted from 0, row id {rowId}) must be a class from 0 to {_classes.Length - 1}, or null for none; was {label}."));
        }

        _row.Read(teacherScores, studentScores, label, Rows, rowId);
        var hash = _bootstrap.Hash(rowId);
        BootstrapWeights.Fill(hash, _weights);
        _sums.Add(_row.Figures, _weights);
        _counts.Add(_row.TeacherPredicts, _row.StudentPredicts, label);
        if (label is { } right)
        {
            var teacher = Bin(_teacherBins, _row.TeacherConfidence, _row.TeacherPredicts == right);
            var student = Bin(_studentBins, _row.StudentConfidence, _row.StudentPredicts == right);
            _sums.AddGaps(teacher, student, _weights);
        }

        _rowsHash += hash;
        Rows++;
    }

    /// <summary>Adds the rows of another evaluator, which is not changed. The result is the same as of one evaluator for all rows.</summary>
    /// <param name="other">An evaluator of the same classes, in the same order, with the same options.</param>
    /// <exception cref="ArgumentException">The classes or options differ.</exception>
    public void Merge(DistillationEvaluator other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (!_classes.SequenceEqual(other._classes))
        {
            throw new ArgumentException(
                "Only evaluators with the same classes in the same order can be merged. This one has " +
                $"{ClassAlignment.Listed(_classes)}; the other has {ClassAlignment.Listed(other._classes)}.",
                nameof(other));
        }

        if (Settings(_options) != Settings(other._options))
        {
            throw new ArgumentException(
                $"Only evaluators with the same options can be merged. This one has {Settings(_options)}; the other has {Settings(other._options)}.",
                nameof(other));
        }

        _sums.Add(other._sums);
        _counts.Add(other._counts);
        _teacherBins.Add(other._teacherBins);
        _studentBins.Add(other._studentBins);
        _rowsHash += other._rowsHash;
        Rows += other.Rows;
    }

    /// <summary>The metrics of the rows so far. More rows may be added afterwards.</summary>
    /// <exception cref="InvalidOperationException">There are no rows.</exception>
    public DistillationMetrics Metrics()
    {
        if (Rows == 0)
            throw new InvalidOperationException("There are no rows to evaluate. Add at least one row; if a data view is empty, check the filters of its pipeline.");
        var replicates = new Replicates(_sums.Copy(), _options.ConfidenceLevel, _options.Seed, _rowsHash);
        return new MetricsSummary(_options, _classes, replicates, _counts, _teacherBins, _studentBins).Metrics();
    }

    private static (int Bin, double Gap) Bin(ConfidenceBins bins, double confidence, bool right)
    {
        var bin = bins.FindBin(confidence);
        bins.Add(bin, confidence, right);
        return (bin, confidence - (right ? 1 : 0));
    }

    private static string Settings(DistillationEvaluationOptions options) =>
        Invariant(
            $"ReliabilityBins {options.ReliabilityBins}, TopK {string.Join("/", options.TopK)}, BootstrapReplicates {options.BootstrapReplicates}, ") +
        Invariant($"ConfidenceLevel {options.ConfidenceLevel:R}, Seed {options.Seed}, WorstRegressions {options.WorstRegressions}, ") +
        $"StudentScoreKind {options.StudentScoreKind}, teacher {options.TeacherScores("").Meaning}";

    /// <summary>Scores that come row by row, without a column whose annotations have class names.</summary>
    private static (AlignedScores Teacher, AlignedScores Student) AlignByOrder(IReadOnlyList<string> classes, DistillationEvaluationOptions options)
    {
        options.Check();
        const string place = "row of scores";
        var labels = new ClassLabels(classes.Count, classes);
        var (count, annotated) = options.TeacherClassNames is { } names ? (names.Count, null) : (classes.Count, classes);
        return (
            (options.TeacherScores("") with { Place = place }).Align(count, annotated, labels),
            (options.StudentScores("") with { Place = place }).Align(classes.Count, classes, labels));
    }

    private static IReadOnlyList<string> CheckClasses(IReadOnlyList<string> classes)
    {
        ArgumentNullException.ThrowIfNull(classes);
        if (classes.Count < 2)
            throw new ArgumentException($"There must be at least 2 classes; found {classes.Count}.", nameof(classes));
        if (classes.Any(string.IsNullOrEmpty))
            throw new ArgumentException("Every class must have a name; one is empty.", nameof(classes));
        if (classes.GroupBy(name => name).FirstOrDefault(group => group.Count() > 1) is { Key: var duplicate })
            throw new ArgumentException($"Every class must have a name of its own; '{duplicate}' is given more than once.", nameof(classes));
        return classes;
    }
}
