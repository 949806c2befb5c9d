using MlNetDistill.Alignment;
using MlNetDistill.Losses;

namespace MlNetDistill.Evaluation;

/// <summary>Computes ω of each row that is added; 24 bytes of memory for each.</summary>
internal sealed class RescalingRows(AlignedScores teacher, AlignedScores student, double temperature, double alpha)
{
    private static readonly double[] Shares = [0.05, 0.25, 0.5, 0.75, 0.95];
    private readonly RowProbabilities _teacher = new(teacher);
    private readonly RowProbabilities _student = new(student);
    private readonly List<double> _rescaling = [];
    private readonly List<double> _confidence = [];
    private readonly List<double> _labelProbability = [];
    private long _rows;
    private long _unlabelled;

    public void Add(ReadOnlySpan<float> teacherScores, ReadOnlySpan<float> studentScores, int? label, UInt128 id)
    {
        _teacher.Read(teacherScores, _rows, id);
        _student.Read(studentScores, _rows, id);
        _rows++;
        if (label is not { } right)
        {
            _unlabelled++;
            return;
        }

        var others = _student.Shares.Where((_, c) => c != right).Sum();
        if (GradientRescaling.Compute(Soften(_teacher, right), Soften(_student, right), others, temperature, alpha) is not { } rescaling)
            return;
        _rescaling.Add(rescaling);
        _confidence.Add(_teacher.Given.Max());
        _labelProbability.Add(_teacher.Given[right]);
    }

    /// <exception cref="InvalidOperationException">No row has an ω.</exception>
    public KnowledgeDiagnosis Diagnose()
    {
        if (_rescaling.Count == 0)
        {
            throw new InvalidOperationException(_rows == 0
                ? "There are no rows."
                : $"Of {Figures.Count(_rows, "row")}, {Figures.Count(_unlabelled)} have no label, and of the others the student is certain, so that labels have no gradient which a teacher could rescale. Give labelled rows that the student has not learnt by heart.");
        }

        double[] sorted = [.. _rescaling.Order()];
        return new KnowledgeDiagnosis
        {
            Rows = sorted.Length,
            UnlabelledRows = _unlabelled,
            CertainRows = _rows - _unlabelled - sorted.Length,
            Temperature = temperature,
            Alpha = alpha,
            Mean = sorted.Average(),
            Quantiles = [.. Shares.Select(share => new RescalingQuantile(share, Quantile(sorted, share)))],
            NegativeShare = (double)sorted.Count(value => value < 0) / sorted.Length,
            ConfidenceCorrelation = Spearman.Compute(_rescaling, _confidence),
            LabelProbabilityCorrelation = Spearman.Compute(_rescaling, _labelProbability),
        };
    }

    // softmax(log p / T) is softmax(z / T) of the logits z that p was computed from.
    private double Soften(RowProbabilities row, int label)
    {
        var largest = row.Logs.Max();
        return Math.Exp((row.Logs[label] - largest) / temperature) / row.Logs.Sum(log => Math.Exp((log - largest) / temperature));
    }

    private static double Quantile(double[] sorted, double share)
    {
        var position = share * (sorted.Length - 1);
        var below = (int)position;
        return below + 1 < sorted.Length ? sorted[below] + ((position - below) * (sorted[below + 1] - sorted[below])) : sorted[below];
    }
}
