using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>One checkpoint of a network as teacher: its weights and its own batch-norm statistics, put into a network shared by the whole route.</summary>
/// <param name="shared">The network that answers, with whichever checkpoint is in it.</param>
/// <param name="load">Puts this checkpoint into a network.</param>
/// <param name="caching">How its answers are kept.</param>
internal sealed class CheckpointTeacher(SharedNetwork shared, Action<Network> load, TeacherCaching caching) : NetworkTeacher(shared.Network, caching)
{
    /// <summary>Whether it is looked at before the student is trained.</summary>
    public bool IsPreviewed { get; init; }

    /// <summary>Puts the checkpoint's logits in the order of the student's classes; null where they have it already.</summary>
    public Func<Tensor, Tensor>? ReorderClasses { get; init; }

    /// <summary>That order as text, for the key of a record.</summary>
    public string Order { get; init; } = "";

    protected override bool QueriesSpreadRowsFirst => IsPreviewed;

    protected override Network PrepareNetwork()
    {
        if (!ReferenceEquals(shared.LoadedTeacher, this))
        {
            // Until the load is through the network holds neither checkpoint.
            shared.LoadedTeacher = null;
            load(shared.Network);
            shared.Network.eval();
            shared.LoadedTeacher = this;
        }

        return shared.Network;
    }

    protected override string ComputeContentHash() => ReorderClasses is null ? base.ComputeContentHash() : Fingerprint.Compute(base.ComputeContentHash(), Order);

    protected override NetworkOutput ComputeOutputs(Batch batch, ModelOutputs wanted)
    {
        var output = base.ComputeOutputs(batch, wanted);
        if (ReorderClasses is not { } arrange || !wanted.HasFlag(ModelOutputs.Logits))
            return output;
        using var noGrad = no_grad();
        return new NetworkOutput(
            arrange(output.Logits),
            wanted.HasFlag(ModelOutputs.Embedding) ? output.Embedding : null,
            wanted.HasFlag(ModelOutputs.StageFeatures) ? output.StageFeatures : null);
    }
}

/// <summary>A network whose weights are those of one checkpoint after the other.</summary>
internal sealed class SharedNetwork(Network network) : IDisposable
{
    public Network Network => network;

    /// <summary>Whose checkpoint is in it.</summary>
    public CheckpointTeacher? LoadedTeacher { get; set; }

    public void Dispose() => network.Dispose();
}
