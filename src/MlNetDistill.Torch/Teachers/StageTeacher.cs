using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>The teacher of a training stage: it computes or looks up outputs for a batch, without gradients, and is not trained.</summary>
public abstract class StageTeacher
{
    /// <summary>The outputs that it can give, and their shapes.</summary>
    public abstract OutputShapes Shapes { get; }

    /// <summary>The outputs that it can give.</summary>
    public ModelOutputs Provides => Shapes.Available;

    /// <summary>Whether it can compute outputs for augmented rows. A teacher with precomputed outputs of the original rows cannot.</summary>
    public virtual bool SupportsAugmentation => false;

    /// <summary>Whether <see cref="CreateTrainableCopy"/> gives a copy. By default false: precomputed outputs and models that run outside of torch cannot be trained.</summary>
    internal virtual bool CanBeTrained => false;

    /// <summary>A copy of its network, with the present weights and on the same device, that can be trained while the teacher stays as it is. The caller disposes it.</summary>
    /// <exception cref="InvalidOperationException">It is not a network that can be copied.</exception>
    internal virtual TrainableTeacher CreateTrainableCopy() => throw new InvalidOperationException($"The teacher {GetType().Name} cannot be trained; {nameof(CanBeTrained)} says so.");

    /// <summary>Whether its embeddings are learnt as directions, so that one of zeros teaches nothing, and those of all rows as they are were checked when they were computed.</summary>
    internal virtual bool GivesDirections => false;

    /// <summary>Whether each query, even for a few rows, costs a pass over all data. Then all rows are queried first and the preview reads those outputs.</summary>
    internal virtual bool NeedsPassPerQuery => false;

    /// <summary>Whether it answers for a few rows as well before a stage has begun. False by default: it may have to prepare itself.</summary>
    internal virtual bool AnswersBeforeStage => false;

    /// <summary>Whether the outputs of all rows of the stage are in the cache, so that a query costs nothing.</summary>
    internal virtual bool HasCachedOutputs => false;

    /// <summary>Time spent so far on reading rows that were not queried.</summary>
    internal virtual TimeSpan TimeOnUnqueriedRows => TimeSpan.Zero;

    /// <summary>
    /// Its last layer, from the embedding to logits in the order of the student's classes; null if it does not show one. Its tensors belong to the teacher, and their
    /// values may change when another teacher is queried.
    /// </summary>
    internal virtual LastLayer? GetLastLayer() => null;

    /// <summary>The teachers that are queried in its place; itself by default.</summary>
    internal virtual IEnumerable<StageTeacher> QueriedTeachers => [this];

    /// <summary>Its outputs for <paramref name="batch"/>, at least the <paramref name="wanted"/>, without gradient, in the current dispose scope.</summary>
    public abstract NetworkOutput Outputs(Batch batch, ModelOutputs wanted);

    /// <summary>log softmax(logits / temperature) for <paramref name="batch"/>, in the current dispose scope.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="outputs">What <see cref="Outputs"/> gave for it.</param>
    /// <param name="temperature">The softening divisor, above 0.</param>
    public virtual Tensor LogProbabilities(Batch batch, NetworkOutput outputs, double temperature) =>
        TryGetLogProbabilities(batch, temperature) ?? outputs.Logits.LogSoftmax(temperature);

    /// <summary>The same if it is cached, without computing the outputs, in the current dispose scope; else null.</summary>
    internal virtual Tensor? TryGetLogProbabilities(Batch batch, double temperature) => null;

    /// <summary>
    /// Prepares a preview: the teacher's quality is checked on a few rows before a stage that reads <paramref name="wanted"/> begins. Outputs computed for the
    /// preview are kept for the cache; if a cache of an earlier run exists, the preview reads that.
    /// </summary>
    /// <param name="set">The rows of the stage.</param>
    /// <param name="wanted">The outputs that the stage will read.</param>
    /// <param name="view">Augments rows as the stage will; null for no augmentation.</param>
    internal virtual void BeginPreview(IRowSource set, ModelOutputs wanted, Func<Tensor, int, Batch>? view) { }

    /// <summary>Whether queries in the <see cref="QueryOrder"/>, in batches of the fit's size, are the ones its cache begins with.</summary>
    internal virtual bool SharesPreview => false;

    /// <summary>Determines before training what its scores mean, if there is no preview; the arguments are those of <see cref="Begin"/>.</summary>
    /// <exception cref="InvalidOperationException">The meaning of the scores is ambiguous.</exception>
    internal virtual void DecideScores(IRowSource set, ModelOutputs wanted, Func<Tensor, int, Batch>? view) { }

    /// <summary>Called when a stage begins: the teacher may prepare its outputs.</summary>
    /// <param name="set">The rows of the stage.</param>
    /// <param name="wanted">The outputs that the stage will read.</param>
    /// <param name="view">Augments rows, given their positions and the number of the view, as the stage will; null for no augmentation.</param>
    public virtual void Begin(IRowSource set, ModelOutputs wanted, Func<Tensor, int, Batch>? view) { }

    /// <summary>Called when an epoch of the stage begins, from 1.</summary>
    public virtual void BeginEpoch(int epoch) { }

    /// <summary>Called when the stage ends: outputs prepared for it may be released.</summary>
    public virtual void End() { }

    /// <summary>Called after the last query: releases everything, also what a later stage could have used.</summary>
    internal virtual void Release() => End();
}
