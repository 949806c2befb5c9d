using MlNetDistill.Alignment;
using MlNetDistill.Losses;

namespace MlNetDistill.Evaluation;

/// <summary>Computes ω of each row that is added. Mean and sign are those of all rows; quantiles and correlations are those of a sample if there are many.</summary>
internal sealed class RescalingRows(AlignedScores teacher, AlignedScores student, double temperature, double alpha)
{
    private static readonly double[] Shares = [0.05, 0.25, 0.5, 0.75, 0.95];
    private readonly RowProbabilities _teacher = new(teacher);
    private readonly RowProbabilities _student = new(student);
    private readonly RescaledSample _sample = new(KnowledgeDiagnosis.SampledRows);
    private double _sum;
    private long _negative;
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
        _sum += rescaling;
        _negative += rescaling < 0 ? 1 : 0;
        _sample.Add(rescaling, _teacher.Given.Max(), _teacher.Given[right]);
    }

    /// <exception cref="InvalidOperationException">No row has an ω.</exception>
    public KnowledgeDiagnosis Diagnose()
    {
        if (_sample.Count == 0)
        {
            throw new InvalidOperationException(_rows == 0
                ? "There are no rows."
                : $"Of {Figures.Count(_rows, "row")}, {Figures.Count(_unlabelled)} have no label, and of the others the student is certain, so that labels have no gradient which a teacher could rescale. Give labelled rows that the student has not learnt by heart.");
        }

        var rescaling = _sample.Rescaling;
        double[] sorted = [.. rescaling.Order()];
        return new KnowledgeDiagnosis
        {
            Rows = _sample.Count,
            UnlabelledRows = _unlabelled,
            CertainRows = _rows - _unlabelled - _sample.Count,
            Temperature = temperature,
            Alpha = alpha,
            Mean = _sum / _sample.Count,
            Quantiles = [.. Shares.Select(share => new RescalingQuantile(share, Quantile(sorted, share)))],
            NegativeShare = (double)_negative / _sample.Count,
            ConfidenceCorrelation = Spearman.Compute(rescaling, _sample.Confidence),
            LabelProbabilityCorrelation = Spearman.Compute(rescaling, _sample.LabelProbability),
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
