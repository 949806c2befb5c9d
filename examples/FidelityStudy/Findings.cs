using FidelityStudy.Training;
using MlNetDistill.Evaluation;

namespace FidelityStudy;

/// <summary>The result of one student.</summary>
/// <param name="Seed">The repetition.</param>
/// <param name="Train">Compared with its teacher on its training rows.</param>
/// <param name="Test">Compared with its teacher on the test rows.</param>
/// <param name="Settings">How it was trained.</param>
internal sealed record Finding(int Seed, DistillationMetrics Train, DistillationMetrics Test, TrainingSettings Settings)
{
    /// <summary>How KD rescales the gradients of its training rows; null if its trial does not ask.</summary>
    public KnowledgeDiagnosis? Diagnosis { get; init; }
}

/// <summary>The result of a trial, over the seeds.</summary>
internal sealed record TrialResult(Trial Trial, IReadOnlyList<Finding> Findings)
{
    public Spread TrainAgreement => Summarize(finding => 100 * finding.Train.Agreement);

    public Spread TestAgreement => Summarize(finding => 100 * finding.Test.Agreement);

    public Spread Accuracy => Summarize(finding => 100 * finding.Test.Student!.Accuracy);

    public Spread Divergence => Summarize(finding => finding.Test.Divergence);

    public Spread CalibrationError => Summarize(finding => 100 * finding.Test.Student!.CalibrationError);

    /// <summary>How much more its students agree with their teacher on the test rows than the other trial's, seed by seed.</summary>
    public Spread AgreementBeyond(TrialResult other) =>
        Spread.FromValues(Findings.Zip(other.Findings, (mine, theirs) => 100 * (mine.Test.Agreement - theirs.Test.Agreement)));

    /// <summary>How much more accurate its students are on the test rows than the other trial's, seed by seed, in points.</summary>
    public Spread AccuracyBeyond(TrialResult other) =>
        Spread.FromValues(Findings.Zip(other.Findings, (mine, theirs) => 100 * (mine.Test.Student!.Accuracy - theirs.Test.Student!.Accuracy)));

    private Spread Summarize(Func<Finding, double> figure) => Spread.FromValues(Findings.Select(figure));
}
