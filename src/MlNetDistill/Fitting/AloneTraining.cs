using Microsoft.ML.Runtime;
using MlNetDistill.Data;
using MlNetDistill.Diagnostics;
using MlNetDistill.Evaluation;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Training;
using TorchSharp;
using static System.FormattableString;

namespace MlNetDistill.Fitting;

/// <summary>
/// Trains the student of a fit on the labels alone, with the seeds of the distilled one and as many steps, so that the two differ only in what they learn from. Where
/// every row has a label and the method has one stage, it is the student of a fit with <see cref="DistillationMethod.LabelsOnly"/>, bit for bit.
/// </summary>
/// <param name="fit">The fit.</param>
internal sealed class AloneTraining(FitContext fit)
{
    /// <summary>Trains and exports it, compares it with the distilled student, and notes the result with that student.</summary>
    /// <param name="distilled">The distilled student, on the device.</param>
    /// <param name="distillation">Its training.</param>
    /// <param name="teacher">The classes that the teacher predicts for the held-out rows; null if it cannot be asked.</param>
    /// <returns>The student alone, and the comparison if there are held-out rows to compare by; null if the fit was cancelled before both were there.</returns>
    public (DistillationTransformer Model, DistillationPayoff? Comparison)? Run(Network distilled, FitNetworks distillation, long[]? teacher)
    {
        if (Train(distilled, distillation.Planned, teacher) is not { } alone)
            return null;
        distillation.Note(alone.Comparison?.Sentence ??
            "The student alone (CompareAlone) was trained, but there are no held-out rows to compare the two by. Set ValidationFraction, ValidationColumnName or " +
            "ValidationData; or give both to a DistillationReport with test rows.");
        if (alone.Comparison is { } comparison && PayoffWarning.Create(comparison) is { } warning)
            fit.Channel.Warning($"{warning}");
        return alone;
    }

    private (DistillationTransformer Model, DistillationPayoff? Comparison)? Train(Network distilled, (int Epochs, long Steps) planned, long[]? teacher)
    {
        using var rows = fit.Split.WithLabelledTraining(fit.Set);
        var alone = CreateOptions(rows.Training.shape[0], planned);
        var warnings = new WarningChannel(fit.Channel, "The student alone: ");
        using var networks = fit.CreateNetworks(warnings, alone, rows);
        (networks.Checkpoints, networks.StudentCheckpoints) = (fit.Checkpoints, "student alone");
        fit.Channel.Info($"Training the same student on labels alone, to compare it with the distilled one.");
        if (alone.Sampling is FixedStepsSampling)
            networks.Note(Invariant($"Trained on {rows.Training.shape[0]} labelled rows alone in as many steps as the distilled student, {planned.Steps}, in {alone.Epochs} epochs."));
        try
        {
            using var network = networks.Train(new TrainingPlan(
                FitNetworks.StudentRole, alone.Student, alone.Method, [], alone.Epochs, alone.Optimizer, alone.Schedule));
            var comparison = Compare(distilled, network, teacher, networks);
            return (fit.CreateExport(warnings, alone, networks).CreateModel(network, alone.Student, alone.Method.Name, FitNetworks.StudentRole, null), comparison);
        }
        catch (OperationCanceledException) when (fit.Options.OnCancellation != CancellationBehavior.Throw)
        {
            fit.Channel.Warning($"Training was cancelled before the student alone was trained, so the distilled one is returned without it: Alone and Comparison are null.");
            return null;
        }
        catch (TrainingTimeoutException fault) when (fit.Options.OnTimeUp != CancellationBehavior.Throw)
        {
            fit.Channel.Warning($"MaxTrainingTime of {fault.Limit:c} was used up before the student alone was trained, so the distilled one is returned without it: Alone and Comparison are null.");
            return null;
        }
    }

    private DistillationOptions CreateOptions(long rows, (int Epochs, long Steps) planned)
    {
        var options = fit.OptionsAlone;
        var steps = (int)Math.Max(1, Math.Round((double)planned.Steps / planned.Epochs));
        return options with
        {
            Epochs = planned.Epochs,
            Sampling = options.Sampling.Create(options.BatchSize).BatchesPerEpoch(rows) == steps ? options.Sampling : new FixedStepsSampling(options.Sampling, steps),
        };
    }

    private DistillationPayoff? Compare(Network distilled, Network alone, long[]? teacher, FitNetworks networks)
    {
        if (fit.Split.Validation is not { } held)
            return null;
        var rows = fit.Split.ValidationSet;
        using var scope = torch.NewDisposeScope();
        long[] Classify(Network network) => Scoring.Predictions(network, rows, held, fit.Options.BatchSize);
        var (students, labels, at) = ((Classify(distilled), Classify(alone)), rows.Labels.index_select(0, held).cpu().data<long>().ToArray(), held.cpu().data<long>().ToArray());
        if (teacher is null && labels.All(label => label == IRowSource.MissingLabel))
            return null;
        var answers = new PairedAnswers(teacher is not null);
        foreach (var (i, position) in at.Index())
        {
            answers.Add(
                rows.RowIds[position], labels[i] == IRowSource.MissingLabel ? null : labels[i], students.Item1[i], students.Item2[i], teacher?[i] ?? IRowSource.MissingLabel);
        }

        return answers.Compare(choseEpochs: networks.History(FitNetworks.StudentRole).Any(epoch => epoch.Validation is not null));
    }
}
