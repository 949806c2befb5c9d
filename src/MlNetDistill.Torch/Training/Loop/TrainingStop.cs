using MlNetDistill.Methods;
using static System.FormattableString;

namespace MlNetDistill.Training;

/// <summary>Ends a training before its last epoch, where it is cancelled or its time is used up.</summary>
/// <param name="settings">The settings of the training.</param>
/// <param name="role">The role of the network in the fit.</param>
internal sealed class TrainingStop(LoopSettings settings, string role)
{
    private string? _reason;

    /// <summary>The stage that was ended; null if none was.</summary>
    public string? Stage { get; private set; }

    /// <summary>Whether it was cancelled, or its time is used up.</summary>
    public bool IsRequested => settings.CancellationToken.IsCancellationRequested || settings.Budget.IsUsedUp;

    /// <summary>Whether the training ends before the next step.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled, and this was asked for, or there is nothing to return.</exception>
    /// <exception cref="TrainingTimeoutException">The same of its time.</exception>
    public bool IsDue(Stage stage, TrainingState state)
    {
        if (settings.CancellationToken.IsCancellationRequested)
        {
            if (settings.OnCancellation == CancellationBehavior.Throw || state.Steps == 0)
                throw new OperationCanceledException($"Distillation was cancelled.{Continuation(state)}", settings.CancellationToken);
            (Stage, _reason) = (stage.Name, $"Training of the {role} was cancelled in stage '{stage.Name}'");
            return true;
        }

        if (!settings.Budget.IsUsedUp)
            return false;
        EndByTime(stage, state);
        return true;
    }

    /// <summary>A warning that the training was ended, and by what.</summary>
    /// <param name="returnsBest">Whether the network has the weights of its best epoch.</param>
    public string Warning(bool returnsBest) => $"{_reason}; {(returnsBest ? "its best epoch so far is returned" : "it is returned with its last weights")}.";

    private void EndByTime(Stage stage, TrainingState state)
    {
        var (limit, used, epoch) = (settings.Budget.Limit!.Value, settings.Budget.Used, state.Stage!.Epoch);
        var where = Invariant($"in epoch {epoch} of {stage.Epochs} of stage '{stage.Name}'");
        if (settings.OnTimeUp == CancellationBehavior.Throw || state.Steps == 0)
            throw new TrainingTimeoutException($"MaxTrainingTime of {limit:c} was used up {where} of the {role}, after {used:c} of training. {Advice(state)}", stage.Name, epoch, limit);
        (Stage, _reason) = (stage.Name, $"Training of the {role} was ended {where}, after {used:c}, because MaxTrainingTime is {limit:c}");
    }

    private string Advice(TrainingState state)
    {
        var nothing = state.Steps == 0 ? "The network has taken no step, so there is nothing to return. " : "";
        return nothing + (settings.TimeUpAdvice ?? "Raise MaxTrainingTime, lower Epochs, or let OnTimeUp return the best student so far.") + Continuation(state);
    }

    private string Continuation(TrainingState state) => state.Steps > 0 && settings.Checkpoints?.Continuation is { } sentence ? $" {sentence}" : "";
}
