using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>
/// Distributes the channels of each group over all groups (Zhang et al. 2018, §3.1): the channels, as a table with one row per group, are read column by column.
/// Without it, consecutive grouped convolutions would never exchange channels.
/// </summary>
public sealed class ChannelShuffle : Block
{
    private readonly int _channels;
    private readonly int _groups;

    /// <summary>Shuffles <paramref name="channels"/> channels of <paramref name="groups"/> groups.</summary>
    /// <exception cref="ArgumentException"><paramref name="groups"/> does not divide the channels.</exception>
    public ChannelShuffle(int channels, int groups)
    {
        if (groups < 1 || channels < 1 || channels % groups != 0)
            throw new ArgumentException($"The groups of a channel shuffle must divide its channels; {groups} groups, {channels} channels.");
        (_channels, _groups) = (channels, groups);
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var (batch, height, width) = (input.shape[0], input.shape[2], input.shape[3]);
        return input.reshape(batch, _groups, _channels / _groups, height, width)
            .transpose(1, 2).reshape(batch, _channels, height, width).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override string Emit(OnnxGraph graph, string input)
    {
        // The same permutation as one gather, which does not depend on the size of the map.
        var size = _channels / _groups;
        var order = Enumerable.Range(0, _channels).Select(c => (long)((c % _groups * size) + (c / _groups)));
        return graph.Add("Gather", [input, graph.Constant([.. order])], ("axis", 1L));
    }
}
