using MlNetDistill.Data;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>A network as teacher, in eval mode.</summary>
internal class NetworkTeacher : CacheableTeacher
{
    private readonly Network _network;

    /// <summary>Takes no ownership of <paramref name="network"/>.</summary>
    /// <param name="network">The network, on the device of the rows.</param>
    /// <param name="recording">How its answers are kept.</param>
    public NetworkTeacher(Network network, TeacherCaching recording)
        : base(recording)
    {
        _network = network;
        Shapes = network.Shapes();
        network.eval();
    }

    public override OutputShapes Shapes { get; }

    public override bool SupportsAugmentation => true;

    /// <summary>The network, with the weights of this teacher.</summary>
    protected virtual Network Ready() => _network;

    protected override string Identity() => ModuleState.Fingerprint(Ready());

    protected override NetworkOutput Live(Batch batch, ModelOutputs wanted)
    {
        using var noGrad = no_grad();
        return Ready().Forward(batch.Features, wanted);
    }
}
