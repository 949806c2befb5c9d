using MlNetDistill.Core;

namespace MlNetDistill.Evaluation;

/// <summary>Compares the predicted classes of a distilled student, the same student alone and their teacher row by row, with a bootstrap over the rows.</summary>
/// <param name="asksTeacher">Whether the teacher's classes are known.</param>
internal sealed class PairedAnswers(bool asksTeacher)
{
    private const int Count = 1000;
    private const double ConfidenceLevel = 0.95;
    private const int Seed = 1;
    private readonly BootstrapWeights _bootstrap = new(Seed);
    private readonly double[] _weights = new double[1 + Count];
    private readonly double[] _row = new double[(int)Statistic.Agree + 1];
    private readonly ReplicateSums[] _sums = [Create(), Create(), Create()];
    private ulong _rowsHash;

    /// <summary>Adds a row.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="label">Its class; null for none.</param>
    /// <param name="distilled">The class that the distilled student predicts.</param>
    /// <param name="alone">The class that the student alone predicts.</param>
    /// <param name="teacher">The class that the teacher predicts; any number where it is not asked.</param>
    public void Add(RowId id, long? label, long distilled, long alone, long teacher)
    {
        var hash = _bootstrap.Hash(new UInt128(id.High, id.Low));
        BootstrapWeights.Fill(hash, _weights);
        _rowsHash += hash;
        foreach (var (i, predicted) in new[] { distilled, alone, teacher }.Index())
        {
            _row[(int)Statistic.Rows] = 1;
            _row[(int)Statistic.Labelled] = label is null ? 0 : 1;
            _row[(int)Statistic.StudentCorrect] = label == predicted ? 1 : 0;
            _row[(int)Statistic.Agree] = predicted == teacher ? 1 : 0;
            _sums[i].Add(_row, _weights);
        }
    }

    /// <summary>The comparison.</summary>
    /// <param name="choseEpochs">Whether both students chose their best epoch on these rows.</param>
    public DistillationPayoff Compare(bool choseEpochs)
    {
        var (distilled, alone, teacher) = (Of(0), Of(1), Of(2));
        var (accuracy, agreement) = (Replicates.Share(Statistic.StudentCorrect, Statistic.Labelled), Replicates.Share(Statistic.Agree, Statistic.Rows));
        return new DistillationPayoff
        {
            Rows = (long)distilled.Sums[Statistic.Rows, 0],
            LabelledRows = (long)distilled.Sums[Statistic.Labelled, 0],
            DistilledAccuracy = distilled.EstimateFigure(accuracy)?.Value,
            AloneAccuracy = alone.EstimateFigure(accuracy)?.Value,
            Accuracy = distilled.EstimateDifference(alone, accuracy),
            Agreement = asksTeacher ? distilled.EstimateDifference(alone, agreement) : null,
            TeacherAccuracyOverAlone = asksTeacher ? teacher.EstimateDifference(alone, accuracy) : null,
            ChoseEpochs = choseEpochs,
        };
    }

    private static ReplicateSums Create() => new((int)Statistic.Agree + 1, 0, Count);

    private Replicates Of(int model) => new(_sums[model], ConfidenceLevel, Seed, _rowsHash);
}
