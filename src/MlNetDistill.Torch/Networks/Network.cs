using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>
/// A classifier made of blocks: input block, body, and a linear layer from the embedding to the logits. Its forward pass gives logits and,
/// where asked for, the embedding and the stage features.
/// </summary>
/// <remarks>Forward passes may run on one thread at a time while the network is in training mode.</remarks>
public sealed class Network : nn.Module<Tensor, NetworkOutput>
{
    private readonly InputBlock _input;
    private readonly ModuleList<Block> _body;
    private readonly Dense _head;
    private readonly HashSet<int> _taps;

    /// <summary>A network over <paramref name="input"/> that ends in <paramref name="classes"/> logits.</summary>
    /// <param name="input">What the network is fed.</param>
    /// <param name="body">Blocks from the scaled input to the embedding (a vector for each row).</param>
    /// <param name="taps">Indices into <paramref name="body"/>: the blocks after which a stage feature is taken.</param>
    /// <param name="embeddingLength">Length of the embedding.</param>
    /// <param name="classes">Number of logits.</param>
    /// <param name="generator">Draws the initial weights of the last layer.</param>
    public Network(NetworkInput input, IEnumerable<Block> body, IEnumerable<int> taps, int embeddingLength, int classes, Generator generator)
        : base("network")
    {
        Input = input;
        EmbeddingLength = embeddingLength;
        Classes = classes;
        _input = new InputBlock(input);
        _body = new ModuleList<Block>([.. body]);
        _head = new Dense(embeddingLength, classes, generator);
        _taps = [.. taps];
        RegisterComponents();
    }

    /// <summary>What the network is fed.</summary>
    public NetworkInput Input { get; }

    /// <summary>Number of classes K.</summary>
    public int Classes { get; }

    /// <summary>Length of the embedding.</summary>
    public int EmbeddingLength { get; }

    /// <summary>The last layer, from embedding to logits.</summary>
    public Dense Head => _head;

    /// <summary>Number of trainable parameters.</summary>
    public long ParameterCount => parameters().Sum(p => p.numel());

    /// <summary>Whether the embedding is the feature vector itself, unscaled: nothing stands between the features and the last layer.</summary>
    internal bool IsLinear => _body.Count == 0 && _input.IsIdentity;

    /// <summary>Logits of a batch.</summary>
    /// <param name="input">Rows, B×(shape of a row), bytes or floats.</param>
    public override NetworkOutput forward(Tensor input) => Forward(input, OutputKinds.Logits);

    /// <summary>Logits of a batch and, where <paramref name="wanted"/> names them, embedding and stage features.</summary>
    public NetworkOutput Forward(Tensor input, OutputKinds wanted)
    {
        var keepStages = wanted.HasFlag(OutputKinds.StageFeatures);
        var stages = new List<Tensor>();
        var x = _input.forward(input);
        for (var i = 0; i < _body.Count; i++)
        {
            var y = _body[i].forward(x);
            // A block may hand its input on as it is.
            if (!ReferenceEquals(x, y) && !(keepStages && _taps.Contains(i - 1)))
                x.Dispose();
            x = y;
            if (keepStages && _taps.Contains(i))
                stages.Add(x);
        }

        return new NetworkOutput(_head.forward(x), wanted.HasFlag(OutputKinds.Embedding) ? x : null, stages);
    }

    /// <summary>Writes everything up to the embedding into <paramref name="graph"/>.</summary>
    internal string EmitBackbone(OnnxGraph graph, string input)
    {
        var value = _input.Emit(graph, input);
        foreach (var block in _body)
            value = block.Emit(graph, value);
        return value;
    }
}
