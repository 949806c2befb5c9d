using System.Diagnostics;
using MlNetDistill.Data;
using MlNetDistill.Diagnostics;
using MlNetDistill.Evaluation;
using MlNetDistill.Teachers;
using MlNetDistill.Training;
using TorchSharp;

namespace MlNetDistill.Fitting;

/// <summary>Held-out rows that a teacher was queried for.</summary>
/// <param name="Rows">The set they are in.</param>
/// <param name="Positions">Their positions in it.</param>
/// <param name="Predicted">The class that the teacher predicts for each.</param>
internal sealed record JudgedTeacher(IRowSource Rows, long[] Positions, long[] Predicted);

/// <summary>
/// Trains a fit's student on the labels alone in a preflight, to see what a teacher has to offer before it is paid for. The training is no longer than the default one,
/// is not validated and its network is not kept.
/// </summary>
/// <param name="fit">The fit.</param>
internal sealed class AloneEstimate(FitContext fit)
{
    private const int MostSteps = 2000;

    /// <summary>Trains it and judges it on held-out rows.</summary>
    /// <param name="teacher">What the teacher predicts for held-out rows; null if it was not queried for any. Then, and if none of those has a label, all held-out rows count.</param>
    /// <param name="planned">Training steps of the fit.</param>
    /// <returns>The estimate; null if no held-out row has a label.</returns>
    public PreflightAlone? Run(JudgedTeacher? teacher, long planned)
    {
        if (fit.Split.Validation is not { } held)
            return null;
        using var scope = torch.NewDisposeScope();
        if (teacher is not null && LabelsOf(teacher.Rows, torch.tensor(teacher.Positions, device: held.device)).All(IsMissing))
            teacher = null;
        var rows = teacher?.Rows ?? fit.Split.ValidationSet;
        var positions = teacher is null ? held : torch.tensor(teacher.Positions, device: held.device);
        var labels = LabelsOf(rows, positions);
        if (labels.All(IsMissing))
            return null;
        using var labelled = fit.Split.WithLabelledTraining(fit.Set);
        using var split = labelled.WithValidation(fit.Set, null);
        var options = CreateOptions(split.Training.shape[0], planned);
        using var networks = fit.CreateNetworks(new WarningChannel(fit.Channel, "The student alone: "), options, split);
        var clock = Stopwatch.StartNew();
        using var network = networks.Train(new TrainingPlan(
            FitNetworks.StudentRole, options.Student, options.Method, [], options.Epochs, options.Optimizer, options.Schedule));
        var time = clock.Elapsed;
        var predicted = Scoring.Predictions(network, rows, positions, fit.Options.BatchSize);
        var (answers, at) = (new PairedAnswers(asksTeacher: false), positions.cpu().data<long>().ToArray());
        foreach (var (i, label) in labels.Index().Where(row => !IsMissing(row.Item)))
            answers.Add(rows.RowIds[at[i]], label, teacher?.Predicted[i] ?? label, predicted[i], label);
        var comparison = answers.Compare(choseEpochs: false);
        return new PreflightAlone(
            comparison.LabelledRows, comparison.AloneAccuracy!.Value, teacher is null ? null : comparison.Accuracy, networks.StepsOf(FitNetworks.StudentRole), time);
    }

    private DistillationOptions CreateOptions(long rows, long planned)
    {
        var options = fit.OptionsAlone;
        var perEpoch = options.Sampling.Create(options.BatchSize).BatchesPerEpoch(rows);
        var steps = (int)Math.Min(Math.Min(MostSteps, planned), (long)options.DefaultEpochsFor(rows) * perEpoch);
        return options with
        {
            Epochs = Math.Max(1, steps / perEpoch),
            Sampling = perEpoch <= steps ? options.Sampling : new FixedStepsSampling(options.Sampling, steps),
            EarlyStopping = null,
            Progress = null,
        };
    }

    private static long[] LabelsOf(IRowSource rows, torch.Tensor positions) => rows.Labels.index_select(0, positions).cpu().data<long>().ToArray();

    private static bool IsMissing(long label) => label == IRowSource.MissingLabel;
}
