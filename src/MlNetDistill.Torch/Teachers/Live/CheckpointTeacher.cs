using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>One checkpoint of a network as teacher: its weights and batch-norm statistics are loaded into a network that all checkpoints of the route share.</summary>
internal sealed class CheckpointTeacher(SharedNetwork shared, Action<Network> load, TeacherCaching caching) : NetworkTeacher(shared.Network, caching)
{
    /// <summary>Whether its quality is checked on a few rows before the student is trained.</summary>
    public bool IsPreviewed { get; init; }

    /// <summary>Reorders the checkpoint's logits to the order of the student's classes; null if they are in that order.</summary>
    public Func<Tensor, Tensor>? ReorderClasses { get; init; }

    /// <summary>Whether that takes each class of the student from one class of the checkpoint: none is merged, none missing.</summary>
    public bool ReordersOnly { get; init; } = true;

    /// <summary>That order as text, for the key of the cache.</summary>
    public string Order { get; init; } = "";

    protected override Func<Tensor, Tensor>? Reorder => ReorderClasses;

    protected override bool QueriesSpreadRowsFirst => IsPreviewed;

    protected override Network PrepareNetwork()
    {
        if (!ReferenceEquals(shared.LoadedTeacher, this))
        {
            // While loading, the network holds neither checkpoint.
            shared.LoadedTeacher = null;
            load(shared.Network);
            shared.Network.eval();
            shared.LoadedTeacher = this;
        }

        return shared.Network;
    }

    protected override string ComputeContentHash() => ReorderClasses is null ? base.ComputeContentHash() : Fingerprint.Compute(base.ComputeContentHash(), Order);

    internal override LastLayer? GetLastLayer()
    {
        if (base.GetLastLayer() is not { } layer || ReorderClasses is not { } reorder)
            return base.GetLastLayer();
        using var noGrad = no_grad();
        // As the logits of one row for each element of the embedding.
        return ReordersOnly ? layer with { Weight = reorder(layer.Weight.t()).t(), Bias = reorder(layer.Bias.unsqueeze(0)).squeeze(0) } : null;
    }

    protected override NetworkOutput ComputeOutputs(Batch batch, ModelOutputs wanted)
    {
        var output = base.ComputeOutputs(batch, wanted);
        if (ReorderClasses is not { } reorder || !wanted.HasFlag(ModelOutputs.Logits))
            return output;
        using var noGrad = no_grad();
        return output.Map(reorder, embedding => embedding, (stage, _) => stage);
    }
}

/// <summary>A network into which one checkpoint after another is loaded.</summary>
internal sealed class SharedNetwork(Network network) : IDisposable
{
    public Network Network => network;

    /// <summary>The teacher whose checkpoint is loaded.</summary>
    public CheckpointTeacher? LoadedTeacher { get; set; }

    public void Dispose() => network.Dispose();
}
