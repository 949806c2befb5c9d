using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>A teacher as a training stage sees it: outputs for a batch. It is never trained and never part of the gradient graph.</summary>
public abstract class StageTeacher
{
    /// <summary>What it can give, and how large that is.</summary>
    public abstract OutputShapes Shapes { get; }

    /// <summary>What it can give.</summary>
    public ModelOutputs Provides => Shapes.Available;

    /// <summary>Number of classes it scores.</summary>
    public int Classes => Shapes.Classes;

    /// <summary>Whether it answers for rows changed by augmentation. One whose answers were given for the rows as they are cannot.</summary>
    public virtual bool SupportsAugmentation => false;

    /// <summary>Whether each question, however few rows it is about, costs a pass over the data: it is then asked for all of them first, and looked at afterwards.</summary>
    internal virtual bool NeedsPassPerQuery => false;

    /// <summary>Whether answers to all rows of the stage are at hand, so that asking costs nothing.</summary>
    internal virtual bool HasCachedOutputs => false;

    /// <summary>Time it has spent so far on passing over rows that nobody asked about.</summary>
    internal virtual TimeSpan TimeOnUnqueriedRows => TimeSpan.Zero;

    /// <summary>The teachers that are asked in its place, itself where there are none.</summary>
    internal virtual IEnumerable<StageTeacher> QueriedTeachers => [this];

    /// <summary>Its outputs for <paramref name="batch"/>, at least the <paramref name="wanted"/>, without gradient, in the current dispose scope.</summary>
    public abstract NetworkOutput Outputs(Batch batch, ModelOutputs wanted);

    /// <summary>log softmax(logits / temperature) for <paramref name="batch"/>, in the current dispose scope.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="outputs">What <see cref="Outputs"/> gave for it.</param>
    /// <param name="temperature">The softening divisor, above 0.</param>
    public virtual Tensor LogProbabilities(Batch batch, NetworkOutput outputs, double temperature) =>
        TryGetLogProbabilities(batch, temperature) ?? outputs.Logits.LogSoftmax(temperature);

    /// <summary>The same where it is at hand without asking for the outputs, in the current dispose scope; else null.</summary>
    internal virtual Tensor? TryGetLogProbabilities(Batch batch, double temperature) => null;

    /// <summary>
    /// The teacher is going to be looked at, before a stage that asks for <paramref name="wanted"/> begins: answers to rows of <paramref name="set"/> in the batches of
    /// its record are kept for that. Where an earlier run left answers, these are looked at.
    /// </summary>
    /// <param name="set">The rows of the stage.</param>
    /// <param name="wanted">What the stage will ask for.</param>
    /// <param name="view">Shows rows augmented, as the stage will; null where it shows them as they are.</param>
    internal virtual void BeginPreview(IRowSource set, ModelOutputs wanted, Func<Tensor, int, Batch>? view) { }

    /// <summary>Whether questions in the order of <see cref="QueryOrder"/>, in batches of the fit, are those that its record begins with.</summary>
    internal virtual bool SharesPreview => false;

    /// <summary>Finds out before anything is trained what its scores are, where it is not going to be looked at; the arguments are those of <see cref="Begin"/>.</summary>
    /// <exception cref="InvalidOperationException">They could be several things.</exception>
    internal virtual void DecideScores(IRowSource set, ModelOutputs wanted, Func<Tensor, int, Batch>? view) { }

    /// <summary>A stage begins: the teacher may prepare its answers.</summary>
    /// <param name="set">The rows of the stage.</param>
    /// <param name="wanted">What the stage will ask for.</param>
    /// <param name="view">Shows rows augmented, from their positions and the number of the view, as the stage will; null where it shows them as they are.</param>
    public virtual void Begin(IRowSource set, ModelOutputs wanted, Func<Tensor, int, Batch>? view) { }

    /// <summary>An epoch of the stage begins, from 1.</summary>
    public virtual void BeginEpoch(int epoch) { }

    /// <summary>The stage is over: what was prepared for it may go.</summary>
    public virtual void End() { }

    /// <summary>Nothing is going to be asked any more: what was prepared goes, whatever a later stage might have had of it.</summary>
    internal virtual void Release() => End();
}
