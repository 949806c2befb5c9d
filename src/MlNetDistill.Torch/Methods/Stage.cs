using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Teachers;

namespace MlNetDistill.Methods;

/// <summary>One segment of training: one teacher, one loss, so many epochs.</summary>
/// <param name="Name">Its name in logs and progress.</param>
/// <param name="Teacher">The teacher, or null where the loss needs none.</param>
/// <param name="Loss">The loss.</param>
/// <param name="Sampler">Rows to batches.</param>
/// <param name="Epochs">Epochs, at least 1.</param>
/// <param name="Optimizer">A fresh optimiser of this kind is made for the stage.</param>
/// <param name="Schedule">The learning rate over the stage.</param>
public sealed record Stage(
    string Name, StageTeacher? Teacher, DistillationLoss Loss, Sampler Sampler, int Epochs, Optimizer Optimizer, LearningRateSchedule Schedule);

/// <summary>What a method may build its stages from.</summary>
/// <param name="Teacher">The teacher, or null where the method needs none.</param>
/// <param name="Sampler">The usual sampler.</param>
/// <param name="Epochs">Epochs of the whole run.</param>
/// <param name="Optimizer">The optimiser asked for.</param>
/// <param name="Schedule">The schedule asked for.</param>
public sealed record MethodContext(StageTeacher? Teacher, Sampler Sampler, int Epochs, Optimizer Optimizer, LearningRateSchedule Schedule)
{
    /// <summary>A stage over all epochs with the context's teacher, sampler, optimiser and schedule.</summary>
    public Stage Stage(string name, DistillationLoss loss) => new(name, Teacher, loss, Sampler, Epochs, Optimizer, Schedule);
}
