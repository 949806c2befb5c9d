using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using MlNetDistill.Core;
using MlNetDistill.Networks;

namespace MlNetDistill.Tests;

/// <summary>
/// TorchSharp 0.107 does not keep the number of <c>x.mul(2.0)</c> alive during the native call (see <see cref="TensorArithmetic"/>). What the compiler writes for
/// such a number is a conversion to Scalar; a few members hide one inside. None of them may stand in the library.
/// </summary>
public sealed class ScalarLifetimeTests
{
    // Tensor members that make a number inside, with as many parameters: pow(2), and the factor 1 of a sum.
    private static readonly (string Member, int Parameters)[] Hiding = [("square", 0), ("square_", 0), ("add", 1), ("add_", 1), ("op_Addition", 2)];

    [Test]
    public void No_bare_number_is_handed_to_a_tensor()
    {
        using var file = File.OpenRead(typeof(Network).Assembly.Location);
        using var image = new PEReader(file);
        var metadata = image.GetMetadataReader();
        var used = metadata.MemberReferences.Select(metadata.GetMemberReference).Select(member => (
            Type: ParentOf(metadata, member),
            Member: metadata.GetString(member.Name),
            Parameters: member.GetKind() == MemberReferenceKind.Method ? ParametersOf(metadata, member) : -1)).ToList();

        Assert.That(used, Has.Some.EqualTo(("Tensor", "mul", 1)), "the scan sees what is called");
        Assert.That(used.Where(u => u is { Type: "Scalar", Member: "op_Implicit" }), Is.Empty);
        // Sums with a factor of our own have a parameter more.
        Assert.That(used.Where(u => u.Type == "Tensor" && Hiding.Contains((u.Member, u.Parameters))), Is.Empty);
    }

    private static string ParentOf(MetadataReader metadata, MemberReference member) => member.Parent.Kind == HandleKind.TypeReference
        ? metadata.GetString(metadata.GetTypeReference((TypeReferenceHandle)member.Parent).Name)
        : "";

    private static int ParametersOf(MetadataReader metadata, MemberReference member)
    {
        var signature = metadata.GetBlobReader(member.Signature);
        var header = signature.ReadSignatureHeader();
        if (header.IsGeneric)
            signature.ReadCompressedInteger();
        return signature.ReadCompressedInteger();
    }
}
