using MlNetDistill.Networks;

namespace MlNetDistill.Teachers;

/// <summary>One checkpoint of a network as teacher: its weights and its own batch-norm statistics, put into a network shared by the whole route.</summary>
/// <param name="shared">The network that answers, with whichever checkpoint is in it.</param>
/// <param name="load">Puts this checkpoint into a network.</param>
/// <param name="recording">How its answers are kept.</param>
internal sealed class CheckpointTeacher(SharedNetwork shared, Action<Network> load, Recording recording) : NetworkTeacher(shared.Network, recording)
{
    protected override Network Ready()
    {
        if (!ReferenceEquals(shared.Holder, this))
        {
            // Until the load is through the network holds neither checkpoint.
            shared.Holder = null;
            load(shared.Network);
            shared.Network.eval();
            shared.Holder = this;
        }

        return shared.Network;
    }
}

/// <summary>A network whose weights are those of one checkpoint after the other.</summary>
internal sealed class SharedNetwork(Network network) : IDisposable
{
    public Network Network => network;

    /// <summary>Whose checkpoint is in it.</summary>
    public CheckpointTeacher? Holder { get; set; }

    public void Dispose() => network.Dispose();
}
