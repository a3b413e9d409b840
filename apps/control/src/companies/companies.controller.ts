// Connected QBO companies: connect with tokens, list, look now.
import { Body, Controller, Get, HttpCode, HttpStatus, Param, Post, Query, Res } from '@nestjs/common';
import { Type } from 'class-transformer';
import {
  IsBoolean,
  IsInt,
  IsNotEmpty,
  IsOptional,
  IsString,
  IsUUID,
  Length,
  Matches,
  Min,
  ValidateNested,
} from 'class-validator';
import type { FastifyReply } from 'fastify';
import { Companies } from '#storage';
import type { Company } from '#storage';
import { OrganizationPageQuery, pageAnswer, pageRequest } from '../pages.js';
import { notFound } from '#common/problems';
import { CompanyConnection } from './company-connection.js';
import { LookRequest } from './look-request.js';

/** Intuit's token response under our names. */
class Tokens {
  @IsString()
  @IsNotEmpty()
  accessToken!: string;

  @IsString()
  @IsNotEmpty()
  refreshToken!: string;

  /** seconds */
  @IsOptional()
  @IsInt()
  @Min(0)
  expiresIn: number = 3600;

  /** seconds */
  @IsOptional()
  @IsInt()
  @Min(0)
  refreshExpiresIn: number = 8_726_400;

  @IsOptional()
  @IsInt()
  @Min(0)
  refreshHardExpiresIn?: number;
}

class ConnectCompany {
  @IsUUID()
  organizationId!: string;

  @Matches(/^\d{1,20}$/, { message: 'realmId must be digits, as Intuit shows it' })
  realmId!: string;

  @IsOptional()
  @Length(1, 200)
  name?: string;

  @ValidateNested()
  @Type(() => Tokens)
  @IsNotEmpty()
  tokens!: Tokens;

  /** false: do not read CompanyInfo to see whether the grant works */
  @IsOptional()
  @IsBoolean()
  check: boolean = true;
}

@Controller('v1/companies')
export class CompaniesController {
  constructor(
    private readonly companies: Companies,
    private readonly connection: CompanyConnection,
    private readonly look: LookRequest,
  ) {}

  @Post()
  async connect(@Body() body: ConnectCompany, @Res({ passthrough: true }) reply: FastifyReply) {
    const { company, again } = await this.connection.connect(body);
    void reply.status(again ? HttpStatus.OK : HttpStatus.CREATED);
    return companyView(company);
  }

  @Get()
  async list(@Query() query: OrganizationPageQuery) {
    const page = await this.companies.list({ ...pageRequest(query), organizationId: query.organizationId });
    return pageAnswer(page, companyView);
  }

  @Get(':realmId')
  async one(@Param('realmId') realmId: string) {
    return companyView(await this.find(realmId));
  }

  /** Read the source now instead of at the next webhook or interval. */
  @Post(':realmId/look')
  @HttpCode(HttpStatus.ACCEPTED)
  async lookNow(@Param('realmId') realmId: string) {
    return this.look.raise(await this.find(realmId));
  }

  private async find(realmId: string): Promise<Company> {
    const company = await this.companies.find(realmId);
    if (!company) throw notFound('company', realmId, 'POST /v1/companies connects one.');
    return company;
  }
}

export const companyView = (company: Company) => ({
  realmId: company.realmId,
  organizationId: company.organizationId,
  name: company.name,
  status: company.status,
  statusReason: company.statusReason,
  homeCurrency: company.homeCurrency,
  connectedAt: company.connectedAt,
});
