using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>Some of the channels, unchanged: <paramref name="count"/> of them from channel <paramref name="first"/> on.</summary>
/// <param name="first">The first channel taken, from 0.</param>
/// <param name="count">How many are taken.</param>
public sealed class ChannelRange(int first, int count) : Block
{
    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => input.narrow(1, first, count);

    /// <inheritdoc/>
    public override string Emit(OnnxGraph graph, string input) =>
        graph.Add("Slice", [input, graph.Constant([first]), graph.Constant([first + count]), graph.Constant([1])]);
}
