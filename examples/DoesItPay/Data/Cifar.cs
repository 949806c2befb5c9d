using CompareMethods.Data;
using MlNetDistill.Core;

namespace DoesItPay.Data;

/// <summary>CIFAR-100 in its binary version, all or a part of it, with the fine labels.</summary>
internal static class Cifar
{
    public static DataSet Load(string folder)
    {
        var files = Files.Folder(folder, "cifar100");
        if (!CifarRecords.AreIn(files))
            throw new UsageException($"--data must name a folder whose part cifar100 has train.bin and test.bin; '{files}' lacks them.");
        var (train, test) = (CifarRecords.Read(files, "train", int.MaxValue), CifarRecords.Read(files, "test", int.MaxValue));
        return new DataSet("cifar", "CIFAR-100", Files.Images(train), Files.Images(test))
        {
            Image = InputShape.Image(CifarRecords.Channels, CifarRecords.Side, CifarRecords.Side),
        };
    }
}
