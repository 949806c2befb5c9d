using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Cache;

/// <summary>A teacher's answers for n rows. The tensors stay with the one who gives them and are read before the next chunk is asked for.</summary>
/// <param name="Ids">Identities of the rows.</param>
/// <param name="Parts">
/// Of what is kept, in this order: logits n×K, embedding n×D, then the stage features n×C×H×W or n×D one by one; 32-bit floats on the CPU, all finite.
/// </param>
internal sealed record OutputChunk(IReadOnlyList<RowId> Ids, IReadOnlyList<Tensor> Parts);
