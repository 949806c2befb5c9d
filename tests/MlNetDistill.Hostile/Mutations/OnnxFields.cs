namespace MlNetDistill.Hostile.Mutations;

/// <summary>An ONNX file of which a field is changed, and all lengths are right again: other operators, attributes, shapes, types and names.</summary>
internal sealed class OnnxFields : ModelFile
{
    public override string Name => "onnx-fields";

    public override string Title => "ONNX teacher, fields changed, right lengths";

    public override bool IsUnguarded => true;

    protected override string FileName => "iris-mlp.onnx";

    public override string Damage(string folder, Random random)
    {
        var file = Path.Combine(folder, FileName);
        var message = Protobuf.Read(File.ReadAllBytes(file)) ?? throw new InvalidDataException("The intact file is no protocol buffer.");
        var what = "";
        for (var changes = random.Next(1, 4); changes > 0; changes--)
            what += ProtobufChanges.Apply(message, random);
        File.WriteAllBytes(file, Protobuf.Write(message));
        return what;
    }

    protected override Teacher Teacher(string path) => MlNetDistill.Teacher.FromOnnx(path, classNames: Rows.Classes);
}
